#include "log/internal/frame_file.h"

#include <algorithm>

#include "base/crc32c.h"
#include "base/logging.h"
#include "log/errors.h"
#include "log/internal/bytes.h"

namespace tidemill::log_internal {
namespace {

constexpr size_t kFrameHead = 16;
constexpr uint32_t kPayloadMax = 16 << 20;
constexpr int64_t kFileMax = 1LL << 30;

void AppendFrame(std::string_view payload, int64_t synced_bytes, std::string* out) {
  std::string covered;
  AppendBig<int64_t>(&covered, synced_bytes);
  covered.append(payload);
  AppendBig<uint32_t>(out, static_cast<uint32_t>(payload.size()));
  AppendBig<uint32_t>(out, Crc32c(covered));
  out->append(covered);
}

struct Frame {
  std::string_view payload;
  int64_t synced_bytes = 0;
};

bool ParseFrame(std::string_view bytes, Frame* frame) {
  if (bytes.size() < kFrameHead) return false;
  const auto size = LoadBig<uint32_t>(bytes.data());
  if (size > kPayloadMax || bytes.size() - kFrameHead < size) return false;
  const std::string_view covered = bytes.substr(8, 8 + size);
  if (Crc32c(covered) != LoadBig<uint32_t>(bytes.data() + 4)) return false;
  frame->synced_bytes = LoadBig<int64_t>(covered.data());
  frame->payload = covered.substr(8);
  return true;
}

}  // namespace

Result<std::unique_ptr<FrameFile>> FrameFile::Open(FileSystem& files, std::string path, SyncScheduler& scheduler,
                                                   SyncHealth& health,
                                                   const std::function<Status(std::string_view)>& replay) {
  std::unique_ptr<FrameFile> frames(new FrameFile(files, std::move(path)));
  frames->commit_ = std::make_shared<GroupCommit>(scheduler, health, [raw = frames.get()] { return raw->Sync(); });
  TM_RETURN_IF_ERROR(frames->Load(replay));
  return frames;
}

FrameFile::~FrameFile() { Close(Status(kLogClosed, "the log is closed")); }

Status FrameFile::Load(const std::function<Status(std::string_view)>& replay) {
  std::string bytes;
  if (files_.Exists(path_)) {
    TM_ASSIGN_OR_RETURN(bytes, ReadFile(files_, path_, kFileMax));
  }
  const std::string_view all = bytes;
  size_t at = 0;
  int64_t known_synced = 0;
  Frame frame;
  while (at < all.size() && ParseFrame(all.substr(at), &frame)) {
    TM_RETURN_IF_ERROR(replay(frame.payload).WithContext("'" + path_ + "'"));
    at += kFrameHead + frame.payload.size();
    known_synced = std::max(known_synced, frame.synced_bytes);
  }
  for (size_t later = at + 1; later < all.size(); ++later) {
    if (ParseFrame(all.substr(later), &frame)) known_synced = std::max(known_synced, frame.synced_bytes);
  }
  if (known_synced > static_cast<int64_t>(at)) {
    return Status(kCorruption, "'" + path_ + "' is damaged at byte " + std::to_string(at) +
                                   "; it was on disk up to byte " + std::to_string(known_synced));
  }
  // If an fsync failed before the last stop, what is read here may be in the kernel's memory only, and a later fsync
  // passes over it. What is acknowledged from now on stands behind it, so it is written once more.
  if (known_synced < static_cast<int64_t>(at))
    TM_RETURN_IF_ERROR(WriteFileAtomically(files_, path_, all.substr(0, at)));
  TM_ASSIGN_OR_RETURN(file_, files_.OpenWritable(path_, FileSystem::OpenMode::kAppend));
  if (at < all.size()) {
    LogWarning("'" + path_ + "': cut a torn tail of " + std::to_string(all.size() - at) + " bytes at byte " +
               std::to_string(at));
    TM_RETURN_IF_ERROR(file_->Truncate(static_cast<int64_t>(at)));
  }
  TM_RETURN_IF_ERROR(file_->Sync());
  TM_RETURN_IF_ERROR(files_.SyncDirectory(DirectoryOf(path_)));
  synced_bytes_ = static_cast<int64_t>(at);
  return Status::OK();
}

Result<int64_t> FrameFile::Append(std::string_view payload) {
  if (payload.size() > kPayloadMax)
    return Status(kLimitExceeded,
                  "a record of " + std::to_string(payload.size()) + " bytes is too large for '" + path_ + "'");
  std::lock_guard lock(mutex_);
  TM_RETURN_IF_ERROR(closed_);
  std::string frame;
  AppendFrame(payload, synced_bytes_, &frame);
  TM_RETURN_IF_ERROR(file_->Append(frame));
  return ++appended_;
}

Result<int64_t> FrameFile::Sync() {
  std::shared_ptr<WritableFile> file;
  int64_t appended = 0, bytes = 0;
  {
    std::lock_guard lock(mutex_);
    TM_RETURN_IF_ERROR(closed_);
    file = file_;
    appended = appended_;
    bytes = file_->size();
  }
  TM_RETURN_IF_ERROR(file->Sync());
  std::lock_guard lock(mutex_);
  if (file == file_) synced_bytes_ = bytes;
  return appended;
}

Status FrameFile::Rewrite(const std::vector<std::string>& payloads) {
  std::lock_guard lock(mutex_);
  TM_RETURN_IF_ERROR(closed_);
  // The new file appears whole, so each frame may say that all of it is on disk.
  int64_t size = 0;
  for (const std::string& payload : payloads) size += static_cast<int64_t>(kFrameHead + payload.size());
  std::string bytes;
  for (const std::string& payload : payloads) AppendFrame(payload, size, &bytes);
  TM_RETURN_IF_ERROR(WriteFileAtomically(files_, path_, bytes));
  TM_ASSIGN_OR_RETURN(file_, files_.OpenWritable(path_, FileSystem::OpenMode::kAppend));
  synced_bytes_ = static_cast<int64_t>(bytes.size());
  return Status::OK();
}

Status FrameFile::SyncAll() {
  int64_t appended = 0;
  {
    std::lock_guard lock(mutex_);
    TM_RETURN_IF_ERROR(closed_);
    appended = appended_;
  }
  return commit_->SyncUpTo(appended);
}

int64_t FrameFile::size_bytes() const {
  std::lock_guard lock(mutex_);
  return file_->size();
}

void FrameFile::Close(const Status& why) {
  {
    std::lock_guard lock(mutex_);
    if (closed_.ok()) closed_ = why;
  }
  commit_->Stop(why);
}

}  // namespace tidemill::log_internal
