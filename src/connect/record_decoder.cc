#include "connect/record_decoder.h"

#include <vector>

#include <arrow/array.h>
#include <arrow/compute/api.h>

#include "data/arrow_status.h"

namespace tidemill {

Result<std::unique_ptr<RowDecoder>> MakeRecordDecoder(const std::string& format, const Schema& wanted,
                                                      const Schema& all, const Config& options, FormatContext context) {
  if (format != "csv") {
    context.all_columns = std::make_shared<const Schema>(all);
    return MakeRowDecoder(format, wanted, options, context);
  }
  std::vector<std::string> names;
  for (int i = 0; i < all.num_fields(); ++i) names.push_back(all.field(i).name);
  return MakeCsvDecoder(wanted, options, names);
}

std::optional<FormatMetadata> FormatMetadataOf(const std::string& format, std::string_view column_key) {
  constexpr std::string_view kPrefix = "value.";
  if (!column_key.starts_with(kPrefix)) return std::nullopt;
  for (FormatMetadata& metadata : FormatMetadataColumns(format)) {
    if (metadata.key == column_key.substr(kPrefix.size())) return std::move(metadata);
  }
  return std::nullopt;
}

Result<std::shared_ptr<arrow::Array>> CastMetadata(std::shared_ptr<arrow::Array> array, const DataType& type) {
  const auto wanted = ToArrow(type);
  if (array->type()->Equals(*wanted)) return array;
  TM_ARROW_ASSIGN_OR_RETURN(const arrow::Datum cast,
                            arrow::compute::Cast(array, arrow::compute::CastOptions::Safe(wanted)), "metadata column");
  return cast.make_array();
}

std::shared_ptr<arrow::Array> RowKindsOf(std::vector<int8_t> kinds) {
  if (kinds.empty()) return nullptr;
  const auto n = static_cast<int64_t>(kinds.size());
  return std::make_shared<arrow::Int8Array>(n, arrow::Buffer::FromVector(std::move(kinds)));
}

}  // namespace tidemill
