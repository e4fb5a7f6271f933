#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include "base/file_system.h"
#include "base/status.h"
#include "log/internal/transaction_state.h"

namespace tidemill::log_internal {

// What a partition knows of itself at one point of its log, so that opening need not read what lies before. Everything
// before the point was on disk when it was written. Lost or damaged, it is made again from the segments, but for
// `log_start`.
struct Checkpoint {
  int64_t log_start = 0;
  int64_t segment_base = 0;  // the point: in this segment,
  int64_t position = 0;      // at this byte,
  int64_t offset = 0;        // where the batch with this offset begins
  TransactionState transactions;
  std::string producers;  // of ProducerState
  // Of compaction: below this offset every key was looked at, and from this time on tombstones may go.
  int64_t cleaned_to = 0;
  int64_t clean_again_ms = INT64_MAX;
};

// Absent: there is none, or it is damaged (then a warning is logged).
Result<std::optional<Checkpoint>> LoadCheckpoint(FileSystem& files, const std::string& directory);
Status StoreCheckpoint(FileSystem& files, const std::string& directory, const Checkpoint& checkpoint);

struct DurableMark {
  int64_t segment_base = 0;
  int64_t position = 0;
  int64_t offset = 0;        // everything below is on disk
  bool sync_failed = false;  // what lies behind was never acknowledged, and reading it back proves nothing
};

// How far the last successful fsync of a partition reached: the file `durable`, to which a mark is added after each
// one. It is not synced itself: after a killed process it is exact, after a power cut it is a lower bound. It tells
// damage from a torn tail.
class DurableMarkFile {
 public:
  static Result<std::unique_ptr<DurableMarkFile>> Open(FileSystem& files, const std::string& directory);
  const std::optional<DurableMark>& last() const { return last_; }  // absent: the file was lost
  // The first mark of a process is written and synced as a whole new file; so is one now and then, to keep the file
  // small.
  Status Add(const DurableMark& mark);
  // Makes the marks themselves durable, if there are new ones.
  Status Sync();

 private:
  DurableMarkFile(FileSystem& files, std::string path) : files_(files), path_(std::move(path)) {}

  FileSystem& files_;
  const std::string path_;
  std::optional<DurableMark> last_;
  std::mutex mutex_;
  std::shared_ptr<WritableFile> file_;
  bool dirty_ = false;
};

}  // namespace tidemill::log_internal
