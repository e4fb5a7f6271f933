#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/file_system.h"
#include "base/status.h"
#include "feature/feature_view.h"
#include "feature/internal/parquet_file.h"
#include "feature/offline_files.h"

namespace tidemill {

// Writes the rows of one subtask into one Parquet file per day of event time and epoch. Rows wait in memory until there
// are enough for a row group; at most `kPendingBytesMax` of them and `kOpenDaysMax` files at a time. One thread. See
// offline_files.h for what is on disk.
class OfflineWriter {
 public:
  static constexpr int64_t kPendingBytesMax = 64 << 20;
  static constexpr size_t kOpenDaysMax = 64;
  static constexpr int64_t kRowGroupRows = 128 << 10;

  // `writer`: unique among all writers of the folder; `subtask`: for the names. `sync_threads`: so many files are
  // synced at a time.
  OfflineWriter(FileSystem& files, const FeatureView& view, std::string subtask, std::string writer,
                int sync_threads = 1);
  ~OfflineWriter();

  // The view's columns and `written_at` (ms) as the last one.
  Status Add(const std::shared_ptr<arrow::RecordBatch>& rows, int64_t written_at_ms);
  // Everything since the last epoch, durable but not visible.
  Result<OfflineHandle> Prepare(int64_t epoch);
  // The view's schema and `written_at`.
  static std::shared_ptr<arrow::Schema> FileSchema(const FeatureView& view);

 private:
  struct DayFile {
    std::vector<std::shared_ptr<arrow::RecordBatch>> pending;
    int64_t pending_rows = 0;
    int64_t pending_bytes = 0;
    uint64_t last_used = 0;
    std::string open_path;
    std::unique_ptr<ParquetFileWriter> writer;
  };
  // A file that has all its rows, but no footer yet.
  struct Written {
    std::string open_path;
    std::string folder;
    std::string part_name;
    std::unique_ptr<ParquetFileWriter> writer;
  };

  Status AddToDay(int64_t day, std::shared_ptr<arrow::RecordBatch> rows, int64_t bytes);
  Status Flush(DayFile& file);
  Status Close(int64_t day);
  Status Seal(Written& written);

  FileSystem& files_;
  const FeatureView view_;
  const std::string subtask_;
  const std::string writer_;
  const int sync_threads_;
  const std::shared_ptr<arrow::Schema> schema_;
  const int event_time_column_;
  std::map<int64_t, DayFile> days_;
  std::vector<Written> written_;  // closed files of this epoch
  int64_t pending_bytes_ = 0;
  uint64_t uses_ = 0;
  int64_t sequence_ = 0;
};

}  // namespace tidemill
