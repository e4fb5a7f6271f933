#include "feature/online_files.h"

#include <algorithm>
#include <charconv>
#include <cstring>
#include <optional>

#include <arrow/api.h>
#include <arrow/io/memory.h>
#include <arrow/ipc/api.h>
#include <xxhash.h>

#include "base/errors.h"
#include "data/arrow_status.h"

namespace tidemill {
namespace {

constexpr std::string_view kMagic = "TMF1";
constexpr int64_t kHeadBytes = 16;
constexpr int64_t kFrameBytesMax = 1LL << 30;
constexpr int64_t kSnapshotAfterBytes = 16 << 20;
constexpr size_t kSnapshotAfterLogs = 64;

struct FrameHead {
  uint32_t length = 0;
  uint64_t checksum = 0;
};

std::string HeadOf(std::string_view payload) {
  const uint32_t length = static_cast<uint32_t>(payload.size());
  const uint64_t checksum = XXH3_64bits(payload.data(), payload.size());
  std::string head(kMagic);
  head.append(reinterpret_cast<const char*>(&length), 4);
  head.append(reinterpret_cast<const char*>(&checksum), 8);
  return head;
}

bool ReadHead(const char* bytes, FrameHead* head) {
  if (std::string_view(bytes, 4) != kMagic) return false;
  std::memcpy(&head->length, bytes + 4, 4);
  std::memcpy(&head->checksum, bytes + 8, 8);
  return head->length <= kFrameBytesMax;
}

using Batches = std::vector<std::shared_ptr<arrow::RecordBatch>>;

Result<std::string> FrameOf(const Batches& batches) {
  constexpr std::string_view kDoing = "writing online features";
  TM_ARROW_ASSIGN_OR_RETURN(const auto sink, arrow::io::BufferOutputStream::Create(1 << 16), kDoing);
  TM_ARROW_ASSIGN_OR_RETURN(const auto writer, arrow::ipc::MakeStreamWriter(sink, batches[0]->schema()), kDoing);
  for (const auto& rows : batches) TM_ARROW_RETURN_IF_ERROR(writer->WriteRecordBatch(*rows), kDoing);
  TM_ARROW_RETURN_IF_ERROR(writer->Close(), kDoing);
  TM_ARROW_ASSIGN_OR_RETURN(const std::shared_ptr<arrow::Buffer> payload, sink->Finish(), kDoing);
  const std::string_view bytes(reinterpret_cast<const char*>(payload->data()), static_cast<size_t>(payload->size()));
  if (payload->size() > kFrameBytesMax)
    return Status(kLimitExceeded, "online features of one flush take more than 1 GiB");
  return HeadOf(bytes).append(bytes);
}

// The whole frame at `at`, when there is one with the right checksum: its payload.
std::optional<std::string_view> FrameAt(std::string_view bytes, size_t at) {
  FrameHead head;
  if (at + kHeadBytes > bytes.size() || !ReadHead(bytes.data() + at, &head)) return std::nullopt;
  if (at + kHeadBytes + head.length > bytes.size()) return std::nullopt;
  const std::string_view payload = bytes.substr(at + kHeadBytes, head.length);
  if (XXH3_64bits(payload.data(), payload.size()) != head.checksum) return std::nullopt;
  return payload;
}

bool NumberOf(const std::string& path, std::string_view suffix, int64_t* number) {
  const std::string name = path.substr(path.rfind('/') + 1);
  constexpr std::string_view kPrefix = "online-";
  if (!name.starts_with(kPrefix) || !name.ends_with(suffix)) return false;
  const char* begin = name.data() + kPrefix.size();
  const char* end = name.data() + name.size() - suffix.size();
  const auto parsed = std::from_chars(begin, end, *number);
  return parsed.ec == std::errc() && parsed.ptr == end;
}

}  // namespace

Result<std::unique_ptr<OnlineFiles>> OnlineFiles::Open(FileSystem& files, std::string directory, bool read_only) {
  std::unique_ptr<OnlineFiles> opened(new OnlineFiles(files, std::move(directory), read_only));
  if (!read_only) TM_RETURN_IF_ERROR(files.CreateDirectories(opened->directory_));
  TM_ASSIGN_OR_RETURN(const std::vector<FileInfo> listed, files.List(opened->directory_));
  for (const FileInfo& file : listed) {
    int64_t number = 0;
    if (NumberOf(file.path, ".snapshot", &number))
      opened->snapshots_.push_back(number);
    else if (NumberOf(file.path, ".log", &number))
      opened->logs_.push_back(number);
    else if (!read_only && file.path.ends_with(".tmp"))
      TM_RETURN_IF_ERROR(files.Remove(file.path));
    opened->next_ = std::max(opened->next_, number + 1);
  }
  std::sort(opened->snapshots_.begin(), opened->snapshots_.end());
  std::sort(opened->logs_.begin(), opened->logs_.end());
  return opened;
}

std::string OnlineFiles::PathOf(int64_t number, const char* suffix) const {
  return JoinPath(directory_, "online-" + std::to_string(number) + suffix);
}

Status OnlineFiles::Recover(const std::function<Status(const arrow::RecordBatch&)>& take) {
  const int64_t from = snapshots_.empty() ? 0 : snapshots_.back();
  if (from > 0) {
    TM_RETURN_IF_ERROR(ReadFrames(PathOf(from, ".snapshot"), true, take));
    TM_ASSIGN_OR_RETURN(const FileInfo info, files_.Stat(PathOf(from, ".snapshot")));
    snapshot_bytes_ = info.size;
  }
  for (const int64_t number : logs_) {
    if (number < from) continue;
    TM_RETURN_IF_ERROR(ReadFrames(PathOf(number, ".log"), false, take));
    TM_ASSIGN_OR_RETURN(const FileInfo info, files_.Stat(PathOf(number, ".log")));
    log_bytes_ += info.size;
  }
  return Status::OK();
}

Status OnlineFiles::ReadFrames(const std::string& path, bool snapshot,
                               const std::function<Status(const arrow::RecordBatch&)>& take) {
  TM_ASSIGN_OR_RETURN(const std::unique_ptr<ReadableFile> file, files_.OpenReadable(path));
  TM_ASSIGN_OR_RETURN(const int64_t size, file->Size());
  const auto damaged = [&path](int64_t at) {
    return Status(kCorruption, path + ": the frame at byte " + std::to_string(at) + " does not match its checksum");
  };
  bool ended = false;
  int64_t at = 0;
  while (at < size && !ended) {
    char bytes[kHeadBytes] = {};
    TM_ASSIGN_OR_RETURN(const int64_t got, file->ReadAt(at, kHeadBytes, bytes));
    FrameHead head;
    std::string frame;
    if (got == kHeadBytes && ReadHead(bytes, &head) && at + kHeadBytes + head.length <= size) {
      frame.resize(kHeadBytes + head.length);
      TM_ASSIGN_OR_RETURN(const int64_t read, file->ReadAt(at, static_cast<int64_t>(frame.size()), frame.data()));
      frame.resize(static_cast<size_t>(read));
    }
    if (!FrameAt(frame, 0)) {
      if (snapshot) return damaged(at);
      // A log's frame that was being written when the process died is its last. If a whole frame follows, the damage
      // came later.
      std::string rest(static_cast<size_t>(size - at), '\0');
      TM_ASSIGN_OR_RETURN(const int64_t read, file->ReadAt(at, size - at, rest.data()));
      rest.resize(static_cast<size_t>(read));
      for (size_t next = rest.find(kMagic, 1); next != std::string::npos; next = rest.find(kMagic, next + 1)) {
        if (FrameAt(rest, next)) return damaged(at);
      }
      return Status::OK();
    }
    std::string payload = frame.substr(kHeadBytes);
    at += kHeadBytes + head.length;
    if (payload.empty()) {
      ended = true;
      continue;
    }
    const std::string doing = "reading " + path;
    arrow::io::BufferReader reader(arrow::Buffer::FromString(std::move(payload)));
    TM_ARROW_ASSIGN_OR_RETURN(const auto stream, arrow::ipc::RecordBatchStreamReader::Open(&reader), doing);
    while (true) {
      std::shared_ptr<arrow::RecordBatch> batch;
      TM_ARROW_RETURN_IF_ERROR(stream->ReadNext(&batch), doing);
      if (batch == nullptr) break;
      TM_RETURN_IF_ERROR(take(*batch).WithContext(doing));
    }
  }
  if (snapshot && !ended) return damaged(at);
  return Status::OK();
}

Status OnlineFiles::OpenLog() {
  TM_CHECK(!read_only_);
  const int64_t number = next_++;
  TM_ASSIGN_OR_RETURN(log_, files_.OpenWritable(PathOf(number, ".log"), FileSystem::OpenMode::kCreateNew));
  logs_.push_back(number);
  return files_.SyncDirectory(directory_);
}

Status OnlineFiles::Append(const Batches& batches) {
  TM_ASSIGN_OR_RETURN(const std::string frame, FrameOf(batches));
  if (log_ == nullptr) TM_RETURN_IF_ERROR(OpenLog());
  Status status = log_->Append(frame);
  if (status.ok()) status = log_->Sync();
  if (!status.ok()) {
    // A part of the frame may be on disk, and nothing may follow a torn frame: the next try writes a file of its own.
    log_.reset();
    return status;
  }
  log_bytes_ += static_cast<int64_t>(frame.size());
  return Status::OK();
}

bool OnlineFiles::WantsSnapshot() const {
  return log_bytes_ > std::max(kSnapshotAfterBytes, snapshot_bytes_) || logs_.size() > kSnapshotAfterLogs;
}

Status OnlineFiles::WriteSnapshot(
    const std::function<Status(const std::function<Status(const Batches&)>& write)>& copy) {
  TM_CHECK(!read_only_);
  log_.reset();  // rows written from now on go to a log of a later number
  const int64_t number = next_++;
  const std::string path = PathOf(number, ".snapshot");
  int64_t bytes = 0;
  {
    TM_ASSIGN_OR_RETURN(const std::unique_ptr<WritableFile> file,
                        files_.OpenWritable(path + ".tmp", FileSystem::OpenMode::kTruncate));
    TM_RETURN_IF_ERROR(copy([&file](const Batches& batches) -> Status {
      if (batches.empty()) return Status::OK();
      TM_ASSIGN_OR_RETURN(const std::string frame, FrameOf(batches));
      return file->Append(frame);
    }));
    TM_RETURN_IF_ERROR(file->Append(HeadOf("")));
    TM_RETURN_IF_ERROR(file->Sync());
    bytes = file->size();
    TM_RETURN_IF_ERROR(file->Close());
  }
  TM_RETURN_IF_ERROR(files_.Rename(path + ".tmp", path));
  TM_RETURN_IF_ERROR(files_.SyncDirectory(directory_));
  const std::vector<int64_t> old_snapshots = std::exchange(snapshots_, {number});
  const std::vector<int64_t> old_logs = std::exchange(logs_, {});
  snapshot_bytes_ = bytes;
  log_bytes_ = 0;
  for (const int64_t old : old_snapshots) TM_RETURN_IF_ERROR(files_.Remove(PathOf(old, ".snapshot")));
  for (const int64_t old : old_logs) TM_RETURN_IF_ERROR(files_.Remove(PathOf(old, ".log")));
  return Status::OK();
}

}  // namespace tidemill
