#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

#include "base/status.h"
#include "data/key_encoder.h"
#include "data/schema.h"

namespace tidemill {

// The key columns of a state table: a KeyEncoder that also knows "no key columns" (one key, group 0: an OVER without
// PARTITION BY). Not thread-safe.
class KeyColumns {
 public:
  static Result<KeyColumns> Make(std::vector<Field> fields);

  // Valid until the next Encode.
  Result<EncodedKeys> Encode(const std::vector<std::shared_ptr<arrow::Array>>& columns, int64_t num_rows);
  Result<std::vector<std::shared_ptr<arrow::Array>>> Decode(std::span<const std::string_view> keys) const;
  const std::vector<Field>& fields() const { return fields_; }

 private:
  KeyColumns() = default;

  std::vector<Field> fields_;
  std::unique_ptr<KeyEncoder> encoder_;
  std::vector<uint64_t> zeros_;
  std::vector<uint8_t> groups_;
};

}  // namespace tidemill
