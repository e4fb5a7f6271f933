#include "state/internal/snapshot_columns.h"

#include <arrow/api.h>
#include <arrow/util/key_value_metadata.h>

#include "data/arrow_status.h"
#include "data/batch.h"
#include "state/errors.h"

namespace tidemill {
namespace {

std::shared_ptr<arrow::Buffer> CopyOf(const void* data, int64_t bytes) {
  auto buffer = arrow::AllocateBuffer(bytes);
  TM_CHECK(buffer.ok());
  if (bytes > 0) std::memcpy((*buffer)->mutable_data(), data, static_cast<size_t>(bytes));
  return *std::move(buffer);
}

Result<std::shared_ptr<arrow::RecordBatch>> TakeOf(const std::shared_ptr<arrow::RecordBatch>& batch,
                                                   const std::vector<int32_t>& rows) {
  if (static_cast<int64_t>(rows.size()) == batch->num_rows()) return batch;
  TM_ASSIGN_OR_RETURN(Batch taken, TakeRows(Batch{batch, nullptr, 0}, rows));
  return taken.rows;
}

}  // namespace

std::shared_ptr<arrow::RecordBatch> MakeSnapshotBatch(const std::vector<NamedColumn>& columns, int64_t num_rows) {
  arrow::FieldVector fields;
  arrow::ArrayVector arrays;
  for (const NamedColumn& column : columns) {
    fields.push_back(arrow::field(column.name, column.values->type()));
    arrays.push_back(column.values);
  }
  return arrow::RecordBatch::Make(arrow::schema(std::move(fields)), num_rows, std::move(arrays));
}

std::shared_ptr<arrow::Array> Int16Column(std::span<const int16_t> values) {
  const int64_t n = static_cast<int64_t>(values.size());
  return std::make_shared<arrow::Int16Array>(n, CopyOf(values.data(), n * 2));
}

std::shared_ptr<arrow::Array> Int64Column(std::span<const int64_t> values) {
  const int64_t n = static_cast<int64_t>(values.size());
  return std::make_shared<arrow::Int64Array>(n, CopyOf(values.data(), n * 8));
}

std::shared_ptr<arrow::Array> BoolColumn(int64_t num_rows, bool value) {
  auto array = arrow::MakeArrayFromScalar(arrow::BooleanScalar(value), num_rows);
  TM_CHECK(array.ok());
  return *std::move(array);
}

std::shared_ptr<arrow::RecordBatch> WithNumber(std::shared_ptr<arrow::RecordBatch> batch, const std::string& name,
                                               int64_t value) {
  auto metadata =
      batch->schema()->metadata() ? batch->schema()->metadata()->Copy() : std::make_shared<arrow::KeyValueMetadata>();
  TM_CHECK(metadata->Set(name, std::to_string(value)).ok());
  return batch->ReplaceSchemaMetadata(metadata);
}

std::optional<int64_t> NumberOf(const arrow::RecordBatch& batch, const std::string& name) {
  const auto& metadata = batch.schema()->metadata();
  if (!metadata) return std::nullopt;
  const auto text = metadata->Get(name);
  if (!text.ok()) return std::nullopt;
  return std::strtoll(text->c_str(), nullptr, 10);
}

Result<std::shared_ptr<arrow::RecordBatch>> SelectKeyGroups(const std::shared_ptr<arrow::RecordBatch>& batch,
                                                            KeyGroupRange range) {
  if (range.first <= 0 && range.last >= kKeyGroups - 1) return batch;
  TM_ASSIGN_OR_RETURN(auto column, SnapshotColumn(*batch, Field{kKeyGroupColumn, DataType(TypeKind::kSmallInt)}));
  const int16_t* groups = static_cast<const arrow::Int16Array&>(*column).raw_values();
  std::vector<int32_t> rows;
  for (int64_t i = 0; i < batch->num_rows(); ++i) {
    if (range.Contains(groups[i])) rows.push_back(static_cast<int32_t>(i));
  }
  return TakeOf(batch, rows);
}

Result<std::shared_ptr<arrow::Array>> SnapshotColumn(const arrow::RecordBatch& batch, const Field& field) {
  const auto column = batch.GetColumnByName(field.name);
  if (!column)
    return Status(kIncompatibleState, "no column '" + field.name + "'; saved are " + batch.schema()->ToString());
  if (!column->type()->Equals(*ToArrow(field.type))) {
    return Status(kIncompatibleState, "column '" + field.name + "' was saved as " + column->type()->ToString() +
                                          ", expected " + field.type.ToString());
  }
  return column;
}

Result<std::vector<std::shared_ptr<arrow::Array>>> SnapshotColumns(const arrow::RecordBatch& batch,
                                                                   const std::vector<Field>& fields) {
  std::vector<std::shared_ptr<arrow::Array>> columns;
  for (const Field& field : fields) {
    TM_ASSIGN_OR_RETURN(auto column, SnapshotColumn(batch, field));
    columns.push_back(std::move(column));
  }
  return columns;
}

Result<std::shared_ptr<arrow::RecordBatch>> SelectDeleted(const std::shared_ptr<arrow::RecordBatch>& batch,
                                                          bool deleted) {
  const auto column = batch->GetColumnByName(kDeletedColumn);
  if (!column) return deleted ? batch->Slice(0, 0) : batch;
  if (column->type_id() != arrow::Type::BOOL) return Status(kIncompatibleState, "column '$deleted' is not BOOLEAN");
  const auto& flags = static_cast<const arrow::BooleanArray&>(*column);
  std::vector<int32_t> rows;
  for (int64_t i = 0; i < batch->num_rows(); ++i) {
    if (flags.Value(i) == deleted) rows.push_back(static_cast<int32_t>(i));
  }
  return TakeOf(batch, rows);
}

}  // namespace tidemill
