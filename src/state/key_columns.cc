#include "state/key_columns.h"

#include <algorithm>

namespace tidemill {

Result<KeyColumns> KeyColumns::Make(std::vector<Field> fields) {
  KeyColumns keys;
  std::vector<DataType> types;
  for (const Field& field : fields) types.push_back(field.type);
  keys.fields_ = std::move(fields);
  if (!types.empty()) {
    TM_ASSIGN_OR_RETURN(keys.encoder_, KeyEncoder::Make(std::move(types)));
  }
  return keys;
}

Result<EncodedKeys> KeyColumns::Encode(const std::vector<std::shared_ptr<arrow::Array>>& columns, int64_t num_rows) {
  if (encoder_) return encoder_->Encode(columns, num_rows);
  const size_t n = static_cast<size_t>(num_rows);
  if (zeros_.size() < n) {
    zeros_.resize(n, 0);
    groups_.resize(n, 0);
  }
  return EncodedKeys{.num_rows = num_rows,
                     .data = reinterpret_cast<const uint8_t*>(zeros_.data()),
                     .fixed_width = 8,
                     .hashes = zeros_.data(),
                     .key_groups = groups_.data()};
}

Result<std::vector<std::shared_ptr<arrow::Array>>> KeyColumns::Decode(std::span<const std::string_view> keys) const {
  if (!encoder_) return std::vector<std::shared_ptr<arrow::Array>>{};
  return encoder_->Decode(keys);
}

}  // namespace tidemill
