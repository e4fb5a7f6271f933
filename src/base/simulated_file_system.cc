#include "base/simulated_file_system.h"

#include <algorithm>
#include <cstring>
#include <optional>

#include "base/errors.h"
#include "base/random.h"

namespace tidemill {
namespace {

constexpr int64_t kSectorBytes = 512;

std::string Clean(std::string path) {
  while (path.size() > 1 && path.back() == '/') path.pop_back();
  return path;
}

}  // namespace

struct SimulatedFileSystem::Inode {
  std::string bytes;
  int64_t synced = 0;  // this many leading bytes are safe
  // Set when something safe was cut off since the last sync: what the disk held then.
  std::optional<std::string> safe_before_truncate;
  // Bytes that a failed sync took for written: shown, but not on the disk, whatever is synced later.
  int64_t dropped_from = 0;
  int64_t dropped_to = 0;
  int64_t modified_us = 0;
};

// `from` empty: creation of `to`; `to` empty: removal of `from`; else a rename.
struct SimulatedFileSystem::NameChange {
  std::string from;
  std::string to;
  std::shared_ptr<Inode> inode;
};

class SimulatedWritableFile final : public WritableFile {
 public:
  SimulatedWritableFile(SimulatedFileSystem& fs, std::shared_ptr<SimulatedFileSystem::Inode> inode, std::string path)
      : fs_(fs), inode_(std::move(inode)), path_(std::move(path)), generation_(fs.generation_) {}

  Status Append(std::string_view bytes) override {
    std::lock_guard lock(fs_.mutex_);
    TM_RETURN_IF_ERROR(AliveLocked());
    TM_RETURN_IF_ERROR(fs_.BeginLocked(true));
    TM_RETURN_IF_ERROR(fs_.NoRoomLocked(static_cast<int64_t>(bytes.size())));
    inode_->bytes.append(bytes);
    inode_->modified_us = fs_.NowMicros();
    fs_.used_ += static_cast<int64_t>(bytes.size());
    return Status::OK();
  }

  Status Sync() override {
    std::lock_guard lock(fs_.mutex_);
    TM_RETURN_IF_ERROR(AliveLocked());
    if (sync_failed_) return Status(kSyncFailed, "'" + path_ + "' could not be synced earlier");
    TM_RETURN_IF_ERROR(fs_.BeginLocked(true));
    if (fs_.fail_sync_after_ > 0 && --fs_.fail_sync_after_ == 0) {
      sync_failed_ = true;
      const auto size = static_cast<int64_t>(inode_->bytes.size());
      if (inode_->synced < size) {
        inode_->dropped_from = inode_->dropped_to > 0 ? std::min(inode_->dropped_from, inode_->synced) : inode_->synced;
        inode_->dropped_to = size;
      }
      return Status(kSyncFailed, "syncing '" + path_ + "': simulated failure");
    }
    inode_->synced = static_cast<int64_t>(inode_->bytes.size());
    inode_->safe_before_truncate.reset();
    ++fs_.syncs_;
    return Status::OK();
  }

  Status Truncate(int64_t size) override {
    std::lock_guard lock(fs_.mutex_);
    TM_RETURN_IF_ERROR(AliveLocked());
    TM_RETURN_IF_ERROR(fs_.BeginLocked(true));
    if (size < inode_->synced) {
      if (!inode_->safe_before_truncate)
        inode_->safe_before_truncate = inode_->bytes.substr(0, static_cast<size_t>(inode_->synced));
      inode_->synced = size;
    }
    fs_.used_ += size - static_cast<int64_t>(inode_->bytes.size());
    inode_->bytes.resize(static_cast<size_t>(size));
    inode_->dropped_to = std::min(inode_->dropped_to, size);
    if (inode_->dropped_from >= inode_->dropped_to) inode_->dropped_from = inode_->dropped_to = 0;
    return Status::OK();
  }

  int64_t size() const override {
    std::lock_guard lock(fs_.mutex_);
    return static_cast<int64_t>(inode_->bytes.size());
  }

  Status Close() override { return Status::OK(); }

 private:
  Status AliveLocked() const {
    if (generation_ == fs_.generation_) return Status::OK();
    return Status(kIoError, "'" + path_ + "' was open when the disk crashed");
  }

  SimulatedFileSystem& fs_;
  std::shared_ptr<SimulatedFileSystem::Inode> inode_;
  std::string path_;
  int64_t generation_;
  bool sync_failed_ = false;
};

class SimulatedReadableFile final : public ReadableFile {
 public:
  SimulatedReadableFile(SimulatedFileSystem& fs, std::shared_ptr<SimulatedFileSystem::Inode> inode)
      : fs_(fs), inode_(std::move(inode)), generation_(fs.generation_) {}

  Result<int64_t> Size() const override {
    std::lock_guard lock(fs_.mutex_);
    if (generation_ != fs_.generation_) return Status(kIoError, "the file was open when the disk crashed");
    TM_RETURN_IF_ERROR(fs_.BeginLocked(false));
    return static_cast<int64_t>(inode_->bytes.size());
  }

  Result<int64_t> ReadAt(int64_t offset, int64_t length, char* out) const override {
    std::lock_guard lock(fs_.mutex_);
    if (generation_ != fs_.generation_) return Status(kIoError, "the file was open when the disk crashed");
    TM_RETURN_IF_ERROR(fs_.BeginLocked(false));
    const int64_t n = std::clamp<int64_t>(static_cast<int64_t>(inode_->bytes.size()) - offset, 0, length);
    if (n > 0) std::memcpy(out, inode_->bytes.data() + offset, static_cast<size_t>(n));
    return n;
  }

 private:
  SimulatedFileSystem& fs_;
  std::shared_ptr<SimulatedFileSystem::Inode> inode_;
  int64_t generation_;
};

class SimulatedLock final : public FileLock {
 public:
  SimulatedLock(SimulatedFileSystem& fs, std::string path) : fs_(fs), path_(std::move(path)) {}
  ~SimulatedLock() override {
    std::lock_guard lock(fs_.mutex_);
    const auto it = fs_.locks_.find(path_);
    if (it != fs_.locks_.end() && it->second == this) fs_.locks_.erase(it);
  }

 private:
  SimulatedFileSystem& fs_;
  std::string path_;
};

SimulatedFileSystem::SimulatedFileSystem(const Clock* clock) : clock_(clock), directories_{"/", "."} {}
SimulatedFileSystem::~SimulatedFileSystem() = default;

int64_t SimulatedFileSystem::NowMicros() const { return clock_ ? clock_->NowMicros() : 0; }

Status SimulatedFileSystem::BeginLocked(bool changes) {
  if (stop_after_ == 0) return Status(kIoError, "simulated stop: the process was killed here");
  if (!changes) return Status::OK();
  if (stop_after_ > 0) --stop_after_;
  ++operations_;
  return Status::OK();
}

Status SimulatedFileSystem::NoRoomLocked(int64_t more) const {
  if (capacity_ < 0 || used_ + more <= capacity_) return Status::OK();
  return Status(kDiskFull, "simulated disk holds " + std::to_string(used_) + " of " + std::to_string(capacity_) +
                               " bytes, no room for " + std::to_string(more));
}

void SimulatedFileSystem::ApplyLocked(const NameChange& change, Names* names) const {
  if (!change.from.empty()) names->erase(change.from);
  if (!change.to.empty()) (*names)[change.to] = change.inode;
}

Result<std::unique_ptr<WritableFile>> SimulatedFileSystem::OpenWritable(const std::string& path, OpenMode mode) {
  std::shared_ptr<Inode> inode;
  {
    std::lock_guard lock(mutex_);
    const auto it = names_.find(path);
    if (it != names_.end() && mode == OpenMode::kCreateNew) return Status(kIoError, "'" + path + "' exists already");
    if (it != names_.end() && mode == OpenMode::kAppend) {
      TM_RETURN_IF_ERROR(BeginLocked(false));
      inode = it->second;
    } else {
      if (!directories_.contains(DirectoryOf(path))) return Status(kFileNotFound, "no directory for '" + path + "'");
      TM_RETURN_IF_ERROR(BeginLocked(true));
      // Truncating is seen by a crash as a new, empty file put in the old one's place.
      if (it != names_.end()) used_ -= static_cast<int64_t>(it->second->bytes.size());
      inode = std::make_shared<Inode>();
      inode->modified_us = NowMicros();
      names_[path] = inode;
      pending_.push_back({"", path, inode});
    }
  }
  return std::unique_ptr<WritableFile>(std::make_unique<SimulatedWritableFile>(*this, std::move(inode), path));
}

Result<std::unique_ptr<ReadableFile>> SimulatedFileSystem::OpenReadable(const std::string& path) {
  std::lock_guard lock(mutex_);
  TM_RETURN_IF_ERROR(BeginLocked(false));
  const auto it = names_.find(path);
  if (it == names_.end()) return Status(kFileNotFound, "opening '" + path + "': no such file");
  return std::unique_ptr<ReadableFile>(std::make_unique<SimulatedReadableFile>(*this, it->second));
}

Result<std::vector<FileInfo>> SimulatedFileSystem::List(const std::string& directory) {
  std::lock_guard lock(mutex_);
  TM_RETURN_IF_ERROR(BeginLocked(false));
  const std::string wanted = Clean(directory);
  if (!directories_.contains(wanted)) return Status(kFileNotFound, "listing '" + directory + "': no such directory");
  std::vector<FileInfo> entries;
  for (const auto& [path, inode] : names_) {
    if (DirectoryOf(path) == wanted)
      entries.push_back({path, false, static_cast<int64_t>(inode->bytes.size()), inode->modified_us});
  }
  for (const std::string& path : directories_) {
    if (path != wanted && DirectoryOf(path) == wanted) entries.push_back({path, true, 0, 0});
  }
  std::sort(entries.begin(), entries.end(), [](const FileInfo& a, const FileInfo& b) { return a.path < b.path; });
  return entries;
}

Result<FileInfo> SimulatedFileSystem::Stat(const std::string& path) {
  std::lock_guard lock(mutex_);
  TM_RETURN_IF_ERROR(BeginLocked(false));
  const auto it = names_.find(path);
  if (it != names_.end())
    return FileInfo{path, false, static_cast<int64_t>(it->second->bytes.size()), it->second->modified_us};
  if (directories_.contains(Clean(path))) return FileInfo{path, true, 0, 0};
  return Status(kFileNotFound, "reading '" + path + "': no such file");
}

Status SimulatedFileSystem::CreateDirectories(const std::string& path) {
  std::lock_guard lock(mutex_);
  if (names_.contains(path)) return Status(kIoError, "'" + path + "' is a file, not a directory");
  std::string directory = Clean(path);
  if (directory.empty() || directories_.contains(directory)) return Status::OK();
  TM_RETURN_IF_ERROR(BeginLocked(true));
  for (; !directories_.contains(directory); directory = DirectoryOf(directory)) directories_.insert(directory);
  return Status::OK();
}

Status SimulatedFileSystem::Rename(const std::string& from, const std::string& to) {
  std::lock_guard lock(mutex_);
  TM_RETURN_IF_ERROR(BeginLocked(true));
  if (directories_.contains(Clean(from))) {
    // A directory moves with all below it, durably at once: ours are renamed only after everything in them was synced.
    const std::string prefix = Clean(from) + "/", target = Clean(to);
    const auto moved = [&](const std::string& path) { return target + "/" + path.substr(prefix.size()); };
    for (Names* names : {&names_, &durable_names_}) {
      Names renamed;
      for (auto it = names->begin(); it != names->end();) {
        if (it->first.starts_with(prefix)) {
          renamed[moved(it->first)] = it->second;
          it = names->erase(it);
        } else {
          ++it;
        }
      }
      names->merge(renamed);
    }
    for (NameChange& change : pending_) {
      if (change.from.starts_with(prefix)) change.from = moved(change.from);
      if (change.to.starts_with(prefix)) change.to = moved(change.to);
    }
    std::set<std::string> directories;
    for (const std::string& directory : directories_) {
      directories.insert(directory == Clean(from)        ? target
                         : directory.starts_with(prefix) ? moved(directory)
                                                         : directory);
    }
    directories_ = std::move(directories);
    return Status::OK();
  }
  const auto it = names_.find(from);
  if (it == names_.end()) return Status(kFileNotFound, "renaming '" + from + "': no such file");
  if (!directories_.contains(DirectoryOf(to))) return Status(kFileNotFound, "no directory for '" + to + "'");
  if (const auto old = names_.find(to); old != names_.end() && from != to)
    used_ -= static_cast<int64_t>(old->second->bytes.size());
  const NameChange change{from, to, it->second};
  ApplyLocked(change, &names_);
  pending_.push_back(change);
  return Status::OK();
}

Status SimulatedFileSystem::Remove(const std::string& path) {
  std::lock_guard lock(mutex_);
  TM_RETURN_IF_ERROR(BeginLocked(true));
  const std::string clean = Clean(path);
  if (directories_.contains(clean)) {
    const std::string prefix = clean + "/";
    const bool used =
        std::any_of(names_.begin(), names_.end(), [&](const auto& n) { return n.first.starts_with(prefix); }) ||
        std::any_of(directories_.begin(), directories_.end(), [&](const auto& d) { return d.starts_with(prefix); });
    if (used) return Status(kIoError, "removing '" + path + "': directory not empty");
    directories_.erase(clean);
    // A directory is durably gone at once, and so is what was in it.
    std::erase_if(durable_names_, [&](const auto& name) { return name.first.starts_with(prefix); });
    std::erase_if(pending_, [&](const NameChange& c) {
      return c.to.starts_with(prefix) || (c.to.empty() && c.from.starts_with(prefix));
    });
    return Status::OK();
  }
  const auto it = names_.find(path);
  if (it == names_.end()) return Status::OK();
  used_ -= static_cast<int64_t>(it->second->bytes.size());
  const NameChange change{path, "", nullptr};
  ApplyLocked(change, &names_);
  pending_.push_back(change);
  return Status::OK();
}

Status SimulatedFileSystem::SyncDirectory(const std::string& path) {
  std::lock_guard lock(mutex_);
  TM_RETURN_IF_ERROR(BeginLocked(true));
  const std::string directory = Clean(path);
  if (!directories_.contains(directory)) return Status(kFileNotFound, "no directory '" + path + "'");
  std::vector<NameChange> rest;
  for (NameChange& change : pending_) {
    const bool here = (!change.to.empty() && DirectoryOf(change.to) == directory) ||
                      (!change.from.empty() && DirectoryOf(change.from) == directory);
    if (here) {
      ApplyLocked(change, &durable_names_);
    } else {
      rest.push_back(std::move(change));
    }
  }
  pending_ = std::move(rest);
  return Status::OK();
}

Result<std::unique_ptr<FileLock>> SimulatedFileSystem::Lock(const std::string& path) {
  auto lock_object = std::make_unique<SimulatedLock>(*this, path);
  Status status = Status::OK();
  {
    std::lock_guard lock(mutex_);
    status = BeginLocked(false);
    if (status.ok() && !locks_.try_emplace(path, lock_object.get()).second) {
      status = Status(kAlreadyLocked, "'" + path + "' is locked by another process");
    }
  }
  if (!status.ok()) return status;  // outside the mutex: destroying the unused lock takes it
  return std::unique_ptr<FileLock>(std::move(lock_object));
}

void SimulatedFileSystem::Crash(uint64_t seed) {
  std::lock_guard lock(mutex_);
  Random random(seed);
  const uint64_t kept = random.Uniform(pending_.size() + 1);
  for (size_t i = 0; i < kept; ++i) ApplyLocked(pending_[i], &durable_names_);
  pending_.clear();
  std::set<Inode*> seen;
  used_ = 0;
  for (const auto& [path, inode] : durable_names_) {
    if (!seen.insert(inode.get()).second) continue;
    std::string& bytes = inode->bytes;
    if (inode->safe_before_truncate && random.Uniform(2) == 0) {
      bytes = *inode->safe_before_truncate;
    } else {
      const int64_t loose = static_cast<int64_t>(bytes.size()) - inode->synced;
      // Nothing of it, all of it, or a part.
      int64_t keep = loose;
      if (const uint64_t fate = random.Uniform(4); fate == 0)
        keep = 0;
      else if (fate != 1)
        keep = static_cast<int64_t>(random.Uniform(static_cast<uint64_t>(loose) + 1));
      bytes.resize(static_cast<size_t>(inode->synced + keep));
      // The file's length may reach the disk before its contents do: whole sectors then read as zeros.
      if (random.Uniform(3) == 0) {
        for (int64_t at = inode->synced; at < inode->synced + keep;) {
          const int64_t end = std::min(inode->synced + keep, (at / kSectorBytes + 1) * kSectorBytes);
          if (random.Uniform(4) == 0) std::fill(bytes.begin() + at, bytes.begin() + end, '\0');
          at = end;
        }
      }
    }
    for (int64_t at = inode->dropped_from; at < std::min<int64_t>(inode->dropped_to, std::ssize(bytes)); ++at)
      bytes[static_cast<size_t>(at)] = '\0';
    inode->dropped_from = inode->dropped_to = 0;
    inode->safe_before_truncate.reset();
    inode->synced = static_cast<int64_t>(bytes.size());
    used_ += inode->synced;
  }
  names_ = durable_names_;
  locks_.clear();
  ++generation_;
  stop_after_ = -1;
  fail_sync_after_ = 0;
}

void SimulatedFileSystem::Kill() {
  std::lock_guard lock(mutex_);
  locks_.clear();
  ++generation_;
  stop_after_ = -1;
  fail_sync_after_ = 0;
}

void SimulatedFileSystem::SetCapacity(int64_t bytes) {
  std::lock_guard lock(mutex_);
  capacity_ = bytes;
}

void SimulatedFileSystem::FailSyncAfter(int n) {
  std::lock_guard lock(mutex_);
  fail_sync_after_ = n;
}

void SimulatedFileSystem::StopAfter(int64_t n) {
  std::lock_guard lock(mutex_);
  stop_after_ = n;
}

Status SimulatedFileSystem::FlipBit(const std::string& path, int64_t byte, int bit) {
  std::lock_guard lock(mutex_);
  const auto it = names_.find(path);
  if (it == names_.end() || byte >= static_cast<int64_t>(it->second->bytes.size()))
    return Status(kFileNotFound, "no such byte in '" + path + "'");
  it->second->bytes[static_cast<size_t>(byte)] ^= static_cast<char>(1 << bit);
  return Status::OK();
}

Status SimulatedFileSystem::Chop(const std::string& path, int64_t size) {
  std::lock_guard lock(mutex_);
  const auto it = names_.find(path);
  if (it == names_.end() || size > static_cast<int64_t>(it->second->bytes.size()))
    return Status(kFileNotFound, "no such byte in '" + path + "'");
  used_ -= static_cast<int64_t>(it->second->bytes.size()) - size;
  it->second->bytes.resize(static_cast<size_t>(size));
  it->second->synced = std::min(it->second->synced, size);
  return Status::OK();
}

int64_t SimulatedFileSystem::operations() const {
  std::lock_guard lock(mutex_);
  return operations_;
}

int64_t SimulatedFileSystem::syncs() const {
  std::lock_guard lock(mutex_);
  return syncs_;
}

}  // namespace tidemill
