#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "base/file_system.h"
#include "base/status.h"
#include "feature/online_files.h"
#include "feature/online_table.h"

namespace tidemill {

// A view's online table with its files. Upsert and Get are thread-safe; Flush too, one at a time.
class OnlineView {
 public:
  // Reads what the folder holds into a table for `view`: features that are gone are left out, new ones are NULL.
  static Result<std::unique_ptr<OnlineView>> Open(FileSystem& files, const std::string& directory,
                                                  const FeatureView& view, bool read_only);

  OnlineTable& table() { return *table_; }
  // Makes everything that was upserted before the call durable; now and then writes a snapshot. What failed is written
  // again by the next call.
  Status Flush();

 private:
  static Result<std::unique_ptr<OnlineView>> OpenOnce(FileSystem& files, const std::string& directory,
                                                      const FeatureView& view, bool read_only);
  OnlineView(std::unique_ptr<OnlineTable> table, std::unique_ptr<OnlineFiles> files)
      : table_(std::move(table)), files_(std::move(files)) {}

  std::unique_ptr<OnlineTable> table_;
  std::mutex flush_mutex_;
  std::unique_ptr<OnlineFiles> files_;
  std::vector<std::shared_ptr<arrow::RecordBatch>> unsaved_;  // taken from the table, not yet on disk
};

// `rows` as the columns of `view`, by name; what is missing or of another type becomes NULL.
Result<std::shared_ptr<arrow::RecordBatch>> ProjectOntoView(const arrow::RecordBatch& rows, const FeatureView& view);

}  // namespace tidemill
