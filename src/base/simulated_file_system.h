#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/file_system.h"

namespace tidemill {

// A disk in memory that can crash, fill up, fail and rot. It keeps what was synced apart from what was not:
// - a file's bytes are safe up to its last Sync; creation, rename and removal are safe after SyncDirectory of their
// directory;
// - `Crash` keeps what is safe and, as the seed decides, some of the rest: a part of each file's unsynced bytes, with
// whole 512-byte
//   sectors of them zeroed, and a part of the pending renames and removals, in order, each whole or not at all. Every
//   open file and lock from before is dead (kIoError).
// Thread-safe.
class SimulatedFileSystem final : public FileSystem {
 public:
  explicit SimulatedFileSystem(const Clock* clock = nullptr);
  ~SimulatedFileSystem() override;

  Result<std::unique_ptr<WritableFile>> OpenWritable(const std::string& path, OpenMode mode) override;
  Result<std::unique_ptr<ReadableFile>> OpenReadable(const std::string& path) override;
  Result<std::vector<FileInfo>> List(const std::string& directory) override;
  Result<FileInfo> Stat(const std::string& path) override;
  Status CreateDirectories(const std::string& path) override;
  Status Rename(const std::string& from, const std::string& to) override;
  Status Remove(const std::string& path) override;
  Status SyncDirectory(const std::string& path) override;
  Result<std::unique_ptr<FileLock>> Lock(const std::string& path) override;

  void Crash(uint64_t seed);
  // The process dies, the machine lives on: open files and locks are dead, and nothing is lost.
  void Kill();
  // Files together hold at most this many bytes; an append beyond fails with kDiskFull. Negative: no limit.
  void SetCapacity(int64_t bytes);
  // The n-th file Sync from now (1 = the next) fails; its unsynced bytes are lost in the next crash although reads
  // show them until then, whatever a Sync of the file opened anew says.
  void FailSyncAfter(int n);
  // After n more changing operations (append, sync, truncate, create, rename, remove, directory sync) every operation
  // fails with kIoError, as in a process that was killed there; until Crash. Negative: never.
  void StopAfter(int64_t n);
  // Flips one bit of a file, on the disk: in what is read and in what survives a crash.
  Status FlipBit(const std::string& path, int64_t byte, int bit);
  // Cuts a file to `size` bytes behind its owner's back, durably.
  Status Chop(const std::string& path, int64_t size);

  int64_t operations() const;  // changing operations so far
  int64_t syncs() const;       // successful file syncs so far

 private:
  friend class SimulatedWritableFile;
  friend class SimulatedReadableFile;
  friend class SimulatedLock;
  struct Inode;
  struct NameChange;
  using Names = std::map<std::string, std::shared_ptr<Inode>>;

  Status BeginLocked(bool changes);
  Status NoRoomLocked(int64_t more) const;
  void ApplyLocked(const NameChange& change, Names* names) const;
  int64_t NowMicros() const;

  const Clock* clock_;
  mutable std::mutex mutex_;
  Names names_;          // as the process sees them
  Names durable_names_;  // as a crash leaves them, apart from `pending_`
  std::vector<NameChange> pending_;
  std::set<std::string> directories_;
  std::map<std::string, const void*> locks_;
  int64_t generation_ = 0;
  int64_t capacity_ = -1;
  int64_t used_ = 0;
  int fail_sync_after_ = 0;
  int64_t stop_after_ = -1;
  int64_t operations_ = 0;
  int64_t syncs_ = 0;
};

}  // namespace tidemill
