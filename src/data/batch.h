#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/status.h"
#include "data/schema.h"

namespace arrow {
class Array;
class ChunkedArray;
class RecordBatch;
}  // namespace arrow

namespace tidemill {

// The kind of a change, as Flink's RowKind; the values are stored in an int8 column.
enum class RowKind : int8_t { kInsert = 0, kUpdateBefore = 1, kUpdateAfter = 2, kDelete = 3 };

inline constexpr int kBatchRowsMax = 8192;

// Rows in columns: what flows between operators. 1 to 8,192 rows, immutable, shared; copying a Batch copies pointers.
struct Batch {
  std::shared_ptr<arrow::RecordBatch> rows;
  std::shared_ptr<arrow::Array> row_kinds;  // arrow int8 of RowKind, no nulls; absent = all +I
  // Wall clock (us) at which the oldest of these rows was appended to the log or read; 0 = unknown. For latency metrics
  // only.
  int64_t ingest_us = 0;

  int64_t num_rows() const;
  int64_t num_bytes() const;  // of the columns' buffers, slices counted by their share; for queue bounds
  Batch Slice(int64_t offset, int64_t length) const;
  // Same kinds and ingest time, other columns (same number of rows).
  Batch WithRows(std::shared_ptr<arrow::RecordBatch> new_rows) const {
    return Batch{std::move(new_rows), row_kinds, ingest_us};
  }
};

// Rows at `indices` (0-based, any order, repeats allowed), with their kinds.
Result<Batch> TakeRows(const Batch& batch, const std::vector<int32_t>& indices);
// All in one; at least one batch, equal schemas. Kinds are filled in when any input has them; ingest_us is the minimum
// known.
Result<Batch> ConcatBatches(const std::vector<Batch>& batches);
Batch EmptyBatch(const Schema& schema);

}  // namespace tidemill
