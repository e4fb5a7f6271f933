#include "feature/internal/online_view.h"

#include <algorithm>

#include <arrow/api.h>

#include "data/arrow_status.h"
#include "feature/errors.h"

namespace tidemill {
namespace {
constexpr int64_t kPieceRows = 32 << 10;
}

Result<std::shared_ptr<arrow::RecordBatch>> ProjectOntoView(const arrow::RecordBatch& rows, const FeatureView& view) {
  std::vector<std::shared_ptr<arrow::Array>> columns;
  for (const Field& field : view.schema.fields()) {
    const std::shared_ptr<arrow::Array> column = rows.GetColumnByName(field.name);
    const std::shared_ptr<arrow::DataType> type = ToArrow(field.type);
    if (column != nullptr && column->type()->Equals(*type)) {
      columns.push_back(column);
      continue;
    }
    const bool key = field.name == view.event_time ||
                     std::find(view.entities.begin(), view.entities.end(), field.name) != view.entities.end();
    if (key)
      return Status(kViewMismatch, "feature view '" + view.name + "': stored rows have no '" + field.name +
                                       "' of type " + field.type.ToString());
    TM_ARROW_ASSIGN_OR_RETURN(columns.emplace_back(), arrow::MakeArrayOfNull(type, rows.num_rows()),
                              "reading online features");
  }
  return arrow::RecordBatch::Make(view.schema.arrow(), rows.num_rows(), std::move(columns));
}

Result<std::unique_ptr<OnlineView>> OnlineView::Open(FileSystem& files, const std::string& directory,
                                                     const FeatureView& view, bool read_only) {
  // Beside a process that writes, a file may be replaced by a snapshot between listing and reading: look again.
  for (int tries = read_only ? 5 : 1;; --tries) {
    Result<std::unique_ptr<OnlineView>> opened = OpenOnce(files, directory, view, read_only);
    if (opened.ok() || tries == 1 || !opened.status().Is(kFileNotFound)) return opened;
  }
}

Result<std::unique_ptr<OnlineView>> OnlineView::OpenOnce(FileSystem& files, const std::string& directory,
                                                         const FeatureView& view, bool read_only) {
  TM_ASSIGN_OR_RETURN(std::unique_ptr<OnlineTable> table, OnlineTable::Make(view));
  TM_ASSIGN_OR_RETURN(std::unique_ptr<OnlineFiles> on_disk, OnlineFiles::Open(files, directory, read_only));
  TM_ASSIGN_OR_RETURN(const std::unique_ptr<KeyEncoder> keys, table->MakeKeyEncoder());
  TM_RETURN_IF_ERROR(on_disk->Recover([&](const arrow::RecordBatch& rows) -> Status {
    TM_ASSIGN_OR_RETURN(const std::shared_ptr<arrow::RecordBatch> projected, ProjectOntoView(rows, view));
    return table->Upsert(*projected, *keys, false).status();
  }));
  return std::unique_ptr<OnlineView>(new OnlineView(std::move(table), std::move(on_disk)));
}

Status OnlineView::Flush() {
  const std::lock_guard lock(flush_mutex_);
  while (true) {
    TM_ASSIGN_OR_RETURN(std::shared_ptr<arrow::RecordBatch> rows, table_->TakeDirty(kPieceRows));
    if (rows == nullptr) break;
    const bool last = rows->num_rows() < kPieceRows;
    unsaved_.push_back(std::move(rows));
    // A writer that keeps the table dirty must not keep this here: rows after the call may wait.
    if (last) break;
  }
  if (unsaved_.empty()) return Status::OK();
  TM_RETURN_IF_ERROR(files_->Append(unsaved_));
  unsaved_.clear();
  if (!files_->WantsSnapshot()) return Status::OK();
  return files_->WriteSnapshot([this](const auto& write) -> Status {
    for (int shard = 0; shard < OnlineTable::kShards; ++shard) {
      TM_ASSIGN_OR_RETURN(const auto batches, table_->CopyShard(shard, kPieceRows));
      TM_RETURN_IF_ERROR(write(batches));
    }
    return Status::OK();
  });
}

}  // namespace tidemill
