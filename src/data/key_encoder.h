#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

#include "base/status.h"
#include "data/batch.h"
#include "data/schema.h"

namespace tidemill {

inline constexpr int kKeyGroups = 128;

// The keys of a batch's rows as bytes, with hashes. Valid until the next Encode of the same encoder.
struct EncodedKeys {
  int64_t num_rows = 0;
  // Fixed width: row i is at data + i * width. Otherwise row i is data[offsets[i] .. offsets[i + 1]).
  const uint8_t* data = nullptr;
  int32_t fixed_width = 0;              // > 0: every key has this many bytes
  const uint32_t* offsets = nullptr;    // num_rows + 1, only when fixed_width == 0
  const uint64_t* hashes = nullptr;     // 64-bit hash per row, stable within a process version, for tables
  const uint8_t* key_groups = nullptr;  // 0 .. 127, Murmur3 of the bytes: stable for ever, decides the lane

  std::string_view key(int64_t i) const {
    if (fixed_width > 0)
      return {reinterpret_cast<const char*>(data) + i * fixed_width, static_cast<size_t>(fixed_width)};
    return {reinterpret_cast<const char*>(data) + offsets[i], offsets[i + 1] - offsets[i]};
  }
};

// Encodes key columns of batches into byte strings that are equal exactly when the keys are equal (NULL equals NULL;
// -0.0 = 0.0, all NaN equal), and decodes them again. Not order-preserving. One per operator, not thread-safe.
// Column-wise: no per-row dispatch on type. A single non-null integer-like column is 8 or 9 bytes wide, fixed.
class KeyEncoder {
 public:
  static Result<std::unique_ptr<KeyEncoder>> Make(std::vector<DataType> key_types);
  virtual ~KeyEncoder() = default;
  virtual Result<EncodedKeys> Encode(const std::vector<std::shared_ptr<arrow::Array>>& key_columns,
                                     int64_t num_rows) = 0;
  virtual Result<std::vector<std::shared_ptr<arrow::Array>>> Decode(std::span<const std::string_view> keys) const = 0;
};

// The lane that owns a key group when there are `parallelism` lanes (Flink's assignment: contiguous ranges).
inline int LaneOfKeyGroup(int key_group, int parallelism) { return key_group * parallelism / kKeyGroups; }
struct KeyGroupRange {
  int first = 0;
  int last = kKeyGroups - 1;  // inclusive
  bool Contains(int group) const { return group >= first && group <= last; }
};
KeyGroupRange KeyGroupsOfLane(int lane, int parallelism);

}  // namespace tidemill
