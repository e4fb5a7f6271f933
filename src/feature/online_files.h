#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/file_system.h"
#include "base/status.h"

namespace arrow {
class RecordBatch;
}

namespace tidemill {

// The durable form of one view's online rows, in a folder of its own:
//   online-<n>.snapshot   all rows at some moment, whole or not there
//   online-<n>.log        rows written after snapshot n (n = 0: from the start), a frame for each flush
// Frame: "TMF1", payload length (u32), xxh3-64 of the payload (u64), payload = an Arrow IPC stream; little endian. A
// file of frames is read by any Arrow after skipping 16 bytes a frame. A snapshot ends with a frame without payload.
//
// Rows are upserts by event time, so reading too much (a log older than a snapshot) or a row twice changes nothing.
// Recovery reads the newest snapshot, then every log of its number or later, in order. A torn last frame of a log is
// left out: it was never acknowledged. Anything else that does not match its checksum is kCorruption with file and
// offset. A process never appends to a log of an earlier one.
//
// One thread at a time.
class OnlineFiles {
 public:
  // `read_only`: creates and removes nothing.
  static Result<std::unique_ptr<OnlineFiles>> Open(FileSystem& files, std::string directory, bool read_only);

  // Gives out what the folder holds, oldest first.
  Status Recover(const std::function<Status(const arrow::RecordBatch&)>& take);
  // One frame of batches of one schema, at least one. Durable when it returns. After an error the rows may or may not
  // be there: write them again.
  Status Append(const std::vector<std::shared_ptr<arrow::RecordBatch>>& batches);
  // True when a snapshot would save more space and recovery time than it costs.
  bool WantsSnapshot() const;
  // `copy` hands every row of the table to `write`. Logs from before are removed once the snapshot is durable.
  Status WriteSnapshot(
      const std::function<
          Status(const std::function<Status(const std::vector<std::shared_ptr<arrow::RecordBatch>>&)>& write)>& copy);

  int64_t log_bytes() const { return log_bytes_; }

 private:
  OnlineFiles(FileSystem& files, std::string directory, bool read_only)
      : files_(files), directory_(std::move(directory)), read_only_(read_only) {}
  std::string PathOf(int64_t number, const char* suffix) const;
  Status OpenLog();
  Status ReadFrames(const std::string& path, bool snapshot,
                    const std::function<Status(const arrow::RecordBatch&)>& take);

  FileSystem& files_;
  std::string directory_;
  bool read_only_;
  std::vector<int64_t> snapshots_;  // numbers found or written, ascending
  std::vector<int64_t> logs_;
  int64_t next_ = 1;                   // number of the next file
  std::unique_ptr<WritableFile> log_;  // made with the first Append
  int64_t log_bytes_ = 0;              // since the newest snapshot
  int64_t snapshot_bytes_ = 0;
};

}  // namespace tidemill
