#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>

#include <dirent.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/errors.h"
#include "base/file_system.h"

namespace tidemill {
namespace {

Status ErrnoStatus(int error, std::string_view what, const std::string& path) {
  const std::string message = std::string(what) + " '" + path + "': " + ::strerror(error);
  switch (error) {
    case ENOENT:
    case ENOTDIR:
      return Status(kFileNotFound, message);
    case EACCES:
    case EPERM:
    case EROFS:
      return Status(kPermissionDenied, message);
    case ENOSPC:
    case EDQUOT:
    case EFBIG:
      return Status(kDiskFull, message);
    default:
      return Status(kIoError, message);
  }
}

class FileDescriptor {
 public:
  explicit FileDescriptor(int fd) : fd_(fd) {}
  FileDescriptor(FileDescriptor&& other) noexcept : fd_(other.fd_) { other.fd_ = -1; }
  FileDescriptor& operator=(FileDescriptor&&) = delete;
  ~FileDescriptor() { Close(); }
  int get() const { return fd_; }
  int Close() {
    const int result = fd_ >= 0 ? ::close(fd_) : 0;
    fd_ = -1;
    return result;
  }

 private:
  int fd_;
};

class LocalWritableFile final : public WritableFile {
 public:
  LocalWritableFile(FileDescriptor fd, std::string path, int64_t size)
      : fd_(std::move(fd)), path_(std::move(path)), size_(size) {}

  Status Append(std::string_view bytes) override {
    size_t done = 0;
    while (done < bytes.size()) {
      // At our own position rather than the file's end: what a failed write left behind is overwritten by the next one.
      const ssize_t n =
          ::pwrite(fd_.get(), bytes.data() + done, bytes.size() - done, size_ + static_cast<int64_t>(done));
      if (n < 0 && errno == EINTR) continue;
      if (n <= 0) {
        const int error = n == 0 ? ENOSPC : errno;
        [[maybe_unused]] const int ignored = ::ftruncate(fd_.get(), size_);
        return ErrnoStatus(error, "writing", path_);
      }
      done += static_cast<size_t>(n);
    }
    size_ += static_cast<int64_t>(bytes.size());
    return Status::OK();
  }

  Status Sync() override {
    if (sync_failed_)
      return Status(kSyncFailed, "'" + path_ + "' could not be synced earlier; nothing more is acknowledged");
    if (::fdatasync(fd_.get()) != 0) {
      sync_failed_ = true;
      return Status(kSyncFailed, "syncing '" + path_ + "': " + ::strerror(errno));
    }
    return Status::OK();
  }

  Status Truncate(int64_t size) override {
    if (::ftruncate(fd_.get(), size) != 0) return ErrnoStatus(errno, "truncating", path_);
    size_ = size;
    return Status::OK();
  }

  int64_t size() const override { return size_; }

  Status Close() override {
    if (fd_.Close() != 0) return ErrnoStatus(errno, "closing", path_);
    return Status::OK();
  }

 private:
  FileDescriptor fd_;
  std::string path_;
  int64_t size_;
  bool sync_failed_ = false;
};

class LocalReadableFile final : public ReadableFile {
 public:
  LocalReadableFile(FileDescriptor fd, std::string path) : fd_(std::move(fd)), path_(std::move(path)) {}

  Result<int64_t> Size() const override {
    struct stat info {};
    if (::fstat(fd_.get(), &info) != 0) return ErrnoStatus(errno, "reading", path_);
    return static_cast<int64_t>(info.st_size);
  }

  Result<int64_t> ReadAt(int64_t offset, int64_t length, char* out) const override {
    int64_t done = 0;
    while (done < length) {
      const ssize_t n = ::pread(fd_.get(), out + done, static_cast<size_t>(length - done), offset + done);
      if (n < 0 && errno == EINTR) continue;
      if (n < 0) return ErrnoStatus(errno, "reading", path_);
      if (n == 0) break;
      done += n;
    }
    return done;
  }
  int descriptor() const override { return fd_.get(); }

 private:
  FileDescriptor fd_;
  std::string path_;
};

class LocalFileLock final : public FileLock {
 public:
  explicit LocalFileLock(FileDescriptor fd) : fd_(std::move(fd)) {}

 private:
  FileDescriptor fd_;
};

FileInfo InfoOf(const std::string& path, const struct stat& info) {
  return {path, S_ISDIR(info.st_mode), S_ISDIR(info.st_mode) ? 0 : static_cast<int64_t>(info.st_size),
          static_cast<int64_t>(info.st_mtim.tv_sec) * 1'000'000 + info.st_mtim.tv_nsec / 1'000};
}

}  // namespace

Result<std::unique_ptr<WritableFile>> LocalFileSystem::OpenWritable(const std::string& path, OpenMode mode) {
  int flags = O_WRONLY | O_CREAT | O_CLOEXEC;
  if (mode == OpenMode::kTruncate) flags |= O_TRUNC;
  if (mode == OpenMode::kCreateNew) flags |= O_EXCL;
  FileDescriptor fd(::open(path.c_str(), flags, 0644));
  if (fd.get() < 0) return ErrnoStatus(errno, "opening", path);
  struct stat info {};
  if (::fstat(fd.get(), &info) != 0) return ErrnoStatus(errno, "opening", path);
  const int64_t size = S_ISREG(info.st_mode) ? static_cast<int64_t>(info.st_size) : 0;
  return std::unique_ptr<WritableFile>(std::make_unique<LocalWritableFile>(std::move(fd), path, size));
}

Result<std::unique_ptr<ReadableFile>> LocalFileSystem::OpenReadable(const std::string& path) {
  FileDescriptor fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (fd.get() < 0) return ErrnoStatus(errno, "opening", path);
  struct stat info {};
  if (::fstat(fd.get(), &info) != 0) return ErrnoStatus(errno, "opening", path);
  if (S_ISDIR(info.st_mode)) return Status(kIoError, "'" + path + "' is a directory");
  return std::unique_ptr<ReadableFile>(std::make_unique<LocalReadableFile>(std::move(fd), path));
}

Result<std::vector<FileInfo>> LocalFileSystem::List(const std::string& directory) {
  DIR* handle = ::opendir(directory.c_str());
  if (handle == nullptr) return ErrnoStatus(errno, "listing", directory);
  std::vector<FileInfo> entries;
  while (const dirent* entry = ::readdir(handle)) {
    const std::string_view name = entry->d_name;
    if (name == "." || name == "..") continue;
    const std::string path = JoinPath(directory, name);
    struct stat info {};
    if (::stat(path.c_str(), &info) == 0) entries.push_back(InfoOf(path, info));  // else: removed meanwhile
  }
  ::closedir(handle);
  std::sort(entries.begin(), entries.end(), [](const FileInfo& a, const FileInfo& b) { return a.path < b.path; });
  return entries;
}

Result<FileInfo> LocalFileSystem::Stat(const std::string& path) {
  struct stat info {};
  if (::stat(path.c_str(), &info) != 0) return ErrnoStatus(errno, "reading", path);
  return InfoOf(path, info);
}

Status LocalFileSystem::CreateDirectories(const std::string& path) {
  struct stat info {};
  if (path.empty()) return Status::OK();
  if (::stat(path.c_str(), &info) == 0) {
    return S_ISDIR(info.st_mode) ? Status::OK() : Status(kIoError, "'" + path + "' is a file, not a directory");
  }
  std::string clean = path;
  while (clean.size() > 1 && clean.back() == '/') clean.pop_back();
  const std::string parent = DirectoryOf(clean);
  if (parent != clean && parent != ".") TM_RETURN_IF_ERROR(CreateDirectories(parent));
  if (::mkdir(clean.c_str(), 0755) != 0) {
    if (errno == EEXIST) return Status::OK();
    return ErrnoStatus(errno, "creating directory", clean);
  }
  return SyncDirectory(parent);
}

Status LocalFileSystem::Rename(const std::string& from, const std::string& to) {
  if (::rename(from.c_str(), to.c_str()) != 0) return ErrnoStatus(errno, "renaming", from);
  return Status::OK();
}

Status LocalFileSystem::Remove(const std::string& path) {
  if (::remove(path.c_str()) != 0 && errno != ENOENT) return ErrnoStatus(errno, "removing", path);
  return Status::OK();
}

Status LocalFileSystem::SyncDirectory(const std::string& path) {
  FileDescriptor fd(::open(path.empty() ? "." : path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (fd.get() < 0) return ErrnoStatus(errno, "opening directory", path);
  // Some file systems (of network mounts) can't sync a directory and say so; there is nothing more to be had from them.
  if (::fsync(fd.get()) != 0 && errno != EINVAL)
    return Status(kSyncFailed, "syncing directory '" + path + "': " + ::strerror(errno));
  return Status::OK();
}

Result<std::unique_ptr<FileLock>> LocalFileSystem::Lock(const std::string& path) {
  FileDescriptor fd(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644));
  if (fd.get() < 0) return ErrnoStatus(errno, "locking", path);
  if (::flock(fd.get(), LOCK_EX | LOCK_NB) != 0) {
    if (errno != EWOULDBLOCK) return ErrnoStatus(errno, "locking", path);
    char owner[32] = {};
    const ssize_t n = ::pread(fd.get(), owner, sizeof(owner) - 1, 0);
    std::string who = n > 0 ? " by process " + std::string(owner, static_cast<size_t>(n)) : " by another process";
    while (!who.empty() && who.back() == '\n') who.pop_back();
    return Status(kAlreadyLocked, "'" + path + "' is locked" + who);
  }
  const std::string pid = std::to_string(::getpid()) + "\n";
  if (::ftruncate(fd.get(), 0) != 0 || ::pwrite(fd.get(), pid.data(), pid.size(), 0) < 0) {
    // Only the text for the message above is missing then; the lock itself is held.
  }
  return std::unique_ptr<FileLock>(std::make_unique<LocalFileLock>(std::move(fd)));
}

}  // namespace tidemill
