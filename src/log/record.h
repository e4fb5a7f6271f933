#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "base/status.h"

namespace tidemill {

struct RecordHeader {
  std::string_view key;
  std::optional<std::string_view> value;
};

inline constexpr int64_t kNoTimestamp = -1;

// A record to append; the bytes are the caller's and are copied. An absent value is a tombstone.
struct Record {
  std::optional<std::string_view> key;
  std::optional<std::string_view> value;
  std::span<const RecordHeader> headers = {};
  int64_t timestamp_ms = kNoTimestamp;  // absent: the log's clock
};

// A record as read: views into a reader's buffer. Absent and empty differ.
struct RecordView {
  int64_t offset = 0;
  int64_t timestamp_ms = 0;
  std::string_view key;
  std::string_view value;
  std::string_view header_bytes;  // encoded; see DecodeHeaders
  int32_t header_count = 0;

  bool has_key() const { return key.data() != nullptr; }
  bool has_value() const { return value.data() != nullptr; }
};

// kInvalidBatch when the bytes are not `header_count` headers.
Result<std::vector<RecordHeader>> DecodeHeaders(const RecordView& record);

}  // namespace tidemill
