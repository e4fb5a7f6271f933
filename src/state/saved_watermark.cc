#include "state/saved_watermark.h"

#include <algorithm>

#include <arrow/api.h>

#include "state/internal/snapshot_columns.h"

namespace tidemill {

Result<TableSnapshot> SavedWatermark::Take(bool) {
  TableSnapshot snapshot;
  const int16_t group[] = {0};
  const int64_t watermark[] = {value};
  snapshot.batches.push_back(
      MakeSnapshotBatch({{kKeyGroupColumn, Int16Column(group)}, {"watermark", Int64Column(watermark)}}, 1));
  return snapshot;
}

Status SavedWatermark::Load(const TableSnapshot& snapshot, KeyGroupRange) {
  for (const auto& batch : snapshot.batches) {
    TM_ASSIGN_OR_RETURN(auto column, SnapshotColumn(*batch, Field{"watermark", DataType(TypeKind::kBigInt)}));
    for (int64_t i = 0; i < column->length(); ++i)
      value = std::max(value, static_cast<const arrow::Int64Array&>(*column).Value(i));
  }
  return Status::OK();
}

}  // namespace tidemill
