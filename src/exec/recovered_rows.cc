#include "exec/recovered_rows.h"

#include <arrow/api.h>

#include "state/errors.h"

namespace tidemill {
namespace {

constexpr char kKeyGroup[] = "$key_group";
constexpr char kAge[] = "$age";
constexpr char kRowKind[] = "$row_kind";

bool CanIdentify(const DataType& type) { return KeyEncoder::Make({type}).ok(); }

std::shared_ptr<arrow::Array> SameForAll(const std::shared_ptr<arrow::Scalar>& value, int64_t rows) {
  auto array = arrow::MakeArrayFromScalar(*value, rows);
  TM_CHECK(array.ok());
  return *std::move(array);
}

}  // namespace

RecoveredRows::RecoveredRows(Schema rows, std::vector<int> identifying_columns, KeyColumns keys, KeyGroupRange own)
    : schema_(std::move(rows)),
      identifying_columns_(std::move(identifying_columns)),
      keys_(std::move(keys)),
      own_(own) {}

Result<std::unique_ptr<RecoveredRows>> RecoveredRows::Make(Schema rows, std::vector<int> identifying_columns,
                                                           KeyGroupRange own) {
  std::vector<Field> fields;
  std::erase_if(identifying_columns, [&](int column) { return !CanIdentify(rows.field(column).type); });
  for (const int column : identifying_columns) fields.push_back(rows.field(column));
  TM_ASSIGN_OR_RETURN(KeyColumns keys, KeyColumns::Make(std::move(fields)));
  return std::unique_ptr<RecoveredRows>(
      new RecoveredRows(std::move(rows), std::move(identifying_columns), std::move(keys), own));
}

Result<EncodedKeys> RecoveredRows::Encode(const Batch& batch) {
  std::vector<std::shared_ptr<arrow::Array>> columns;
  for (const int column : identifying_columns_) columns.push_back(batch.rows->column(column));
  return keys_.Encode(columns, batch.num_rows());
}

Status RecoveredRows::Add(const Batch& batch, int age) {
  if (!batch.rows->schema()->Equals(*schema_.arrow(), false)) {
    return Status(kIncompatibleState, "journal holds rows " + batch.rows->schema()->ToString() +
                                          ", the query now gives " + schema_.ToString());
  }
  TM_ASSIGN_OR_RETURN(EncodedKeys keys, Encode(batch));
  for (int64_t i = 0; i < batch.num_rows(); ++i)
    rows_[std::string(keys.key(i))].push_back({batch.Slice(i, 1), age, keys.key_groups[i]});
  return Status::OK();
}

Result<std::vector<std::optional<Batch>>> RecoveredRows::Match(const Batch& batch) {
  std::vector<std::optional<Batch>> matches(static_cast<size_t>(batch.num_rows()));
  if (rows_.empty()) return matches;
  TM_ASSIGN_OR_RETURN(EncodedKeys keys, Encode(batch));
  for (int64_t i = 0; i < batch.num_rows(); ++i) {
    const auto found = rows_.find(std::string(keys.key(i)));
    if (found == rows_.end()) continue;
    matches[static_cast<size_t>(i)] = std::move(found->second.front().row);
    found->second.pop_front();
    if (found->second.empty()) rows_.erase(found);
  }
  return matches;
}

void RecoveredRows::NextEpoch() {
  for (auto at = rows_.begin(); at != rows_.end();) {
    for (Row& row : at->second) ++row.age;
    std::erase_if(at->second, [](const Row& row) { return row.age > kEpochsMax; });
    at = at->second.empty() ? rows_.erase(at) : std::next(at);
  }
}

// Always whole: it is small, and empty most of the time.
Result<TableSnapshot> RecoveredRows::Take(bool) {
  std::vector<Batch> rows;
  std::vector<int16_t> groups;
  std::vector<int32_t> ages;
  for (const auto& [key, waiting] : rows_) {
    for (const Row& row : waiting) {
      if (!own_.Contains(row.key_group)) continue;
      rows.push_back(row.row);
      groups.push_back(row.key_group);
      ages.push_back(row.age);
    }
  }
  if (rows.empty()) rows.push_back(EmptyBatch(schema_));
  TM_ASSIGN_OR_RETURN(Batch all, ConcatBatches(rows));
  arrow::Int16Builder group_builder;
  arrow::Int32Builder age_builder;
  TM_CHECK(group_builder.AppendValues(groups).ok() && age_builder.AppendValues(ages).ok());
  std::vector<std::shared_ptr<arrow::Field>> fields = {arrow::field(kKeyGroup, arrow::int16()),
                                                       arrow::field(kAge, arrow::int32()),
                                                       arrow::field(kRowKind, arrow::int8())};
  std::vector<std::shared_ptr<arrow::Array>> columns = {
      *group_builder.Finish(), *age_builder.Finish(),
      all.row_kinds ? all.row_kinds : SameForAll(std::make_shared<arrow::Int8Scalar>(0), all.num_rows())};
  for (int c = 0; c < schema_.num_fields(); ++c) {
    fields.push_back(all.rows->schema()->field(c));
    columns.push_back(all.rows->column(c));
  }
  TableSnapshot snapshot;
  snapshot.batches.push_back(
      arrow::RecordBatch::Make(arrow::schema(std::move(fields)), all.num_rows(), std::move(columns)));
  return snapshot;
}

Status RecoveredRows::Load(const TableSnapshot& snapshot, KeyGroupRange) {
  for (const auto& saved : snapshot.batches) {
    std::vector<std::shared_ptr<arrow::Array>> columns;
    for (const Field& field : schema_.fields()) {
      const auto column = saved->GetColumnByName(field.name);
      if (!column || !column->type()->Equals(*ToArrow(field.type)))
        return Status(kIncompatibleState, "no column '" + field.name + "' of type " + field.type.ToString());
      columns.push_back(column);
    }
    const auto ages = saved->GetColumnByName(kAge);
    const auto kinds = saved->GetColumnByName(kRowKind);
    if (!ages || !kinds || ages->type_id() != arrow::Type::INT32 || kinds->type_id() != arrow::Type::INT8)
      return Status(kIncompatibleState, "no column '$age' or '$row_kind'");
    const Batch all{arrow::RecordBatch::Make(schema_.arrow(), saved->num_rows(), std::move(columns)), nullptr, 0};
    const auto& kind_values = static_cast<const arrow::Int8Array&>(*kinds);
    for (int64_t i = 0; i < all.num_rows(); ++i) {
      Batch row = all.Slice(i, 1);
      if (kind_values.Value(i) != 0) row.row_kinds = kinds->Slice(i, 1);
      TM_RETURN_IF_ERROR(Add(row, static_cast<const arrow::Int32Array&>(*ages).Value(i)));
    }
  }
  return Status::OK();
}

int64_t RecoveredRows::MemoryBytes() const {
  int64_t bytes = 0;
  for (const auto& [key, waiting] : rows_)
    bytes += static_cast<int64_t>(key.size() + waiting.size() * (sizeof(Row) + 64));
  return bytes;
}

}  // namespace tidemill
