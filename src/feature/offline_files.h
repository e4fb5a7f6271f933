#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/file_system.h"
#include "base/status.h"
#include "feature/feature_view.h"
#include "feature/internal/parquet_file.h"

namespace tidemill {

// The offline files of a view, as every reader sees them:
//   <path>/day=YYYY-MM-DD/part-<epoch>-<subtask>-<writer>.parquet     rows of one day of event time, written in one
//   epoch <path>/day=YYYY-MM-DD/part-<epoch>-m-<id>.parquet                  several of them merged; `epoch` = the
//   newest
// Columns: those of the view, then `written_at` (processing time, TIMESTAMP(3)). Names that start with a dot are no
// results:
//   .open-*.tmp        being written, in the view's folder
//   .part-*.tmp        prepared: durable, becomes visible when its epoch is committed
//   .merge-*.tmp       a merge being written
// A merged file names in its footer ("tidemill.replaces") the files it stands for; whoever still sees one of them
// beside it leaves it out. Other readers of the folder may see rows twice for the moment between the rename of a merged
// file and the removal of what it replaces.

struct OfflinePart {
  std::string path;
  std::string name;  // "part-5-0-x.parquet"
  std::string day;   // "2018-04-01"
  int64_t epoch = 0;
  int64_t bytes = 0;
  bool merged = false;
};

// What a writer prepared in one epoch; `parts` relative to the view's folder.
struct OfflineHandle {
  int64_t epoch = 0;
  std::vector<std::string> parts;
};
std::string EncodeOfflineHandle(const OfflineHandle& handle);
Result<OfflineHandle> DecodeOfflineHandle(std::string_view text);

// "day=2018-04-01" of an event time; days before year 0 or after 9999 go to the nearest that can be written.
std::string DayFolder(int64_t day_number);
std::optional<int64_t> DayNumberOf(std::string_view folder);
std::string TemporaryNameOf(const std::string& part_name);  // ".part-5-0-x.parquet.tmp"

// Makes the parts visible. Idempotent, also when they were merged since.
// `sync_threads`: so many folders are synced at a time.
Status CommitOffline(FileSystem& files, const std::string& path, const OfflineHandle& handle, int sync_threads = 1);
// After a restart: commits `handles` (of the newest manifest), then removes what no manifest names: open files, and
// prepared ones of later epochs.
Status RecoverOffline(FileSystem& files, const std::string& path, std::span<const OfflineHandle> handles,
                      int sync_threads = 1);
// The visible parts, oldest day first, within a day in the order they were written; merged-away ones left out. A path
// that does not exist has none.
Result<std::vector<OfflinePart>> ListOffline(FileSystem& files, const std::string& path);

struct MergePolicy {
  int files_min = 32;  // so many small files of a day are merged
  int64_t small_bytes = 16 << 20;
};
// Merges the small files of one day when there are enough of them, and finishes the removals of an earlier merge that
// was cut off. Returns whether it merged. One caller per folder at a time.
Result<bool> MergeDay(FileSystem& files, const std::string& path, const std::string& day_folder,
                      const MergePolicy& policy, const std::string& id, const ParquetWriteOptions& options);

}  // namespace tidemill
