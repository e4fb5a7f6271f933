#include "connect/record_rows.h"

#include <algorithm>

#include <arrow/array.h>
#include <arrow/compute/api.h>
#include <arrow/record_batch.h>

#include "data/arrow_status.h"

namespace tidemill {

RecordLayout RecordLayout::Make(const ScanSpec& scan, std::span<const MetadataColumn> metadata) {
  RecordLayout layout;
  layout.read_schema = SourceReadSchema(scan);
  layout.value_all = scan.table->physical_schema();
  std::vector<Field> value;
  for (const int number : SourceReadColumns(scan)) {
    const ColumnDefinition& column = scan.table->columns[number];
    Column out;
    out.type = column.type;
    if (column.kind == ColumnDefinition::Kind::kMetadata) {
      const auto found = std::find_if(metadata.begin(), metadata.end(),
                                      [&](const MetadataColumn& each) { return each.key == column.metadata_key; });
      TM_CHECK(found != metadata.end());  // ValidateTable has looked
      out.metadata = static_cast<int>(found - metadata.begin());
    } else {
      out.value = static_cast<int>(value.size());
      value.push_back({column.name, column.type});
    }
    layout.columns.push_back(std::move(out));
  }
  layout.value_schema = Schema(std::move(value));
  return layout;
}

Result<std::shared_ptr<arrow::RecordBatch>> AssembleRecordRows(
    const RecordLayout& layout, const RowDecoder::Output& values,
    const std::function<Result<std::shared_ptr<arrow::Array>>(int metadata)>& metadata_of) {
  std::vector<std::shared_ptr<arrow::Array>> arrays;
  for (const RecordLayout::Column& column : layout.columns) {
    if (column.metadata < 0) {
      arrays.push_back(values.rows->column(column.value));
      continue;
    }
    TM_ASSIGN_OR_RETURN(std::shared_ptr<arrow::Array> array, metadata_of(column.metadata));
    const auto wanted = ToArrow(column.type);
    if (!array->type()->Equals(*wanted)) {
      auto options = arrow::compute::CastOptions::Safe(wanted);
      options.allow_time_truncate = true;  // a column may be coarser than the system's times
      TM_ARROW_ASSIGN_OR_RETURN(const arrow::Datum cast, arrow::compute::Cast(array, options), "metadata column");
      array = cast.make_array();
    }
    arrays.push_back(std::move(array));
  }
  return arrow::RecordBatch::Make(layout.read_schema.arrow(), static_cast<int64_t>(values.input_index.size()),
                                  std::move(arrays));
}

void NamedRejects::Reject(RejectedRow row) {
  const std::string name = name_of_(row.offset, &row.offset);
  if (!name.empty()) row.detail = name + ": " + row.detail;
  rejects_.Reject(std::move(row));
}

}  // namespace tidemill
