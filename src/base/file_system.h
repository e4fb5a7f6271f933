#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"

namespace tidemill {

// A file open for appending. One thread at a time, but Sync may run beside another thread's Append: it covers what was
// appended before it began. Closing without Sync gives no durability.
class WritableFile {
 public:
  virtual ~WritableFile() = default;
  // Appends everything or fails: kDiskFull (retriable; bytes before `size()` are intact, the rest was cut off again) or
  // kIoError.
  virtual Status Append(std::string_view bytes) = 0;
  // fdatasync. After a failure every later call fails with kSyncFailed: an fsync is never retried.
  virtual Status Sync() = 0;
  virtual Status Truncate(int64_t size) = 0;
  virtual int64_t size() const = 0;
  virtual Status Close() = 0;
};

// A file open for reading at any offset. Thread-safe.
class ReadableFile {
 public:
  virtual ~ReadableFile() = default;
  virtual Result<int64_t> Size() const = 0;
  // Reads up to `length` bytes; fewer only at the end of the file.
  virtual Result<int64_t> ReadAt(int64_t offset, int64_t length, char* out) const = 0;
  // For handing its bytes to the kernel (sendfile); -1 where there is none. Lives as long as this.
  virtual int descriptor() const { return -1; }
};

struct FileInfo {
  std::string path;
  bool is_directory = false;
  int64_t size = 0;
  int64_t modified_us = 0;
};

// An exclusive advisory lock, released on destruction or when the process dies.
class FileLock {
 public:
  virtual ~FileLock() = default;
};

// The only way to files. Thread-safe. Paths are absolute or relative to the process's directory.
class FileSystem {
 public:
  virtual ~FileSystem() = default;
  enum class OpenMode { kTruncate, kAppend, kCreateNew };
  virtual Result<std::unique_ptr<WritableFile>> OpenWritable(const std::string& path, OpenMode mode) = 0;
  virtual Result<std::unique_ptr<ReadableFile>> OpenReadable(const std::string& path) = 0;
  virtual Result<std::vector<FileInfo>> List(const std::string& directory) = 0;  // sorted by path, not recursive
  virtual Result<FileInfo> Stat(const std::string& path) = 0;                    // kFileNotFound
  virtual Status CreateDirectories(const std::string& path) = 0;                 // durable when it returns
  virtual Status Rename(const std::string& from, const std::string& to) = 0;     // atomic, replaces
  virtual Status Remove(const std::string& path) = 0;  // file or empty directory; absent is OK
  virtual Status SyncDirectory(const std::string& path) = 0;
  virtual Result<std::unique_ptr<FileLock>> Lock(const std::string& path) = 0;  // kAlreadyLocked

  bool Exists(const std::string& path) { return Stat(path).ok(); }
};

// Reads a whole file, at most `bytes_max` (kLimitExceeded above).
Result<std::string> ReadFile(FileSystem& fs, const std::string& path, int64_t bytes_max);
// Writes `path.tmp`, syncs it, renames it over `path` and syncs the directory: readers see the old or the new file,
// whole.
Status WriteFileAtomically(FileSystem& fs, const std::string& path, std::string_view bytes);
Status RemoveRecursively(FileSystem& fs, const std::string& path);
// All files below `directory`, sorted by path.
Result<std::vector<FileInfo>> ListRecursively(FileSystem& fs, const std::string& directory);
std::string JoinPath(std::string_view a, std::string_view b);
// "a/b" -> "a"; "a" -> "."; "/a" -> "/".
std::string DirectoryOf(const std::string& path);
// True for [A-Za-z0-9._-]{1,128} and neither "." nor "..".
bool IsSafeName(std::string_view name);

class LocalFileSystem final : public FileSystem {
 public:
  Result<std::unique_ptr<WritableFile>> OpenWritable(const std::string& path, OpenMode mode) override;
  Result<std::unique_ptr<ReadableFile>> OpenReadable(const std::string& path) override;
  Result<std::vector<FileInfo>> List(const std::string& directory) override;
  Result<FileInfo> Stat(const std::string& path) override;
  Status CreateDirectories(const std::string& path) override;
  Status Rename(const std::string& from, const std::string& to) override;
  Status Remove(const std::string& path) override;
  Status SyncDirectory(const std::string& path) override;
  Result<std::unique_ptr<FileLock>> Lock(const std::string& path) override;
};

}  // namespace tidemill
