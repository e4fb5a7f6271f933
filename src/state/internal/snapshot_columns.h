#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/status.h"
#include "data/key_encoder.h"
#include "data/schema.h"

namespace arrow {
class Array;
class RecordBatch;
}  // namespace arrow

namespace tidemill {

inline constexpr char kKeyGroupColumn[] = "$key_group";  // int16
inline constexpr char kDeletedColumn[] = "$deleted";     // bool
inline constexpr int64_t kSnapshotBatchRows = 64 << 10;

// A column that a snapshot adds to those of the table.
struct NamedColumn {
  std::string name;
  std::shared_ptr<arrow::Array> values;
};
std::shared_ptr<arrow::RecordBatch> MakeSnapshotBatch(const std::vector<NamedColumn>& columns, int64_t num_rows);
std::shared_ptr<arrow::Array> Int16Column(std::span<const int16_t> values);
std::shared_ptr<arrow::Array> BoolColumn(int64_t num_rows, bool value);
std::shared_ptr<arrow::Array> Int64Column(std::span<const int64_t> values);

// A number that belongs to a snapshot as a whole, kept in the schema's metadata.
std::shared_ptr<arrow::RecordBatch> WithNumber(std::shared_ptr<arrow::RecordBatch> batch, const std::string& name,
                                               int64_t value);
std::optional<int64_t> NumberOf(const arrow::RecordBatch& batch, const std::string& name);

// The rows whose key group is in `range`.
Result<std::shared_ptr<arrow::RecordBatch>> SelectKeyGroups(const std::shared_ptr<arrow::RecordBatch>& batch,
                                                            KeyGroupRange range);
// The column of that name and type; kIncompatibleState, naming it, when there is none.
Result<std::shared_ptr<arrow::Array>> SnapshotColumn(const arrow::RecordBatch& batch, const Field& field);
Result<std::vector<std::shared_ptr<arrow::Array>>> SnapshotColumns(const arrow::RecordBatch& batch,
                                                                   const std::vector<Field>& fields);
// The rows for which `$deleted` is (or is not) set; an absent column means none is.
Result<std::shared_ptr<arrow::RecordBatch>> SelectDeleted(const std::shared_ptr<arrow::RecordBatch>& batch,
                                                          bool deleted);

}  // namespace tidemill
