#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "base/file_system.h"
#include "base/status.h"
#include "log/internal/group_commit.h"

namespace tidemill::log_internal {

// A small durable file of records that are appended, and rewritten as a whole when most are outdated: what the log
// keeps beside topics. A frame is: size (4), CRC-32C of the rest (4), number of bytes of the file known to be on disk
// when it was written (8), payload. The last of these tells a hole that a crash left in what was never synced (cut)
// from damage (kCorruption with file and position). Thread-safe.
class FrameFile {
 public:
  // Calls `replay` with each payload, in order; an error of it ends the opening. Makes the file when it is absent.
  static Result<std::unique_ptr<FrameFile>> Open(FileSystem& files, std::string path, SyncScheduler& scheduler,
                                                 SyncHealth& health,
                                                 const std::function<Status(std::string_view)>& replay);
  ~FrameFile();

  // Returns the position to wait for with `commit()`.
  Result<int64_t> Append(std::string_view payload);
  GroupCommit& commit() { return *commit_; }
  // Replaces everything by `payloads`, durably. Nobody may append meanwhile.
  Status Rewrite(const std::vector<std::string>& payloads);
  Status SyncAll();
  int64_t size_bytes() const;
  // After it appends fail. Does not sync.
  void Close(const Status& why);

 private:
  FrameFile(FileSystem& files, std::string path) : files_(files), path_(std::move(path)) {}
  Result<int64_t> Sync();
  Status Load(const std::function<Status(std::string_view)>& replay);

  FileSystem& files_;
  const std::string path_;
  mutable std::mutex mutex_;
  std::shared_ptr<WritableFile> file_;
  int64_t appended_ = 0;  // frames ever, as a position for `commit_`
  int64_t synced_bytes_ = 0;
  Status closed_;
  std::shared_ptr<GroupCommit> commit_;
};

}  // namespace tidemill::log_internal
