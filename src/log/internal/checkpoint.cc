#include "log/internal/checkpoint.h"

#include "base/crc32c.h"
#include "base/logging.h"
#include "log/errors.h"

namespace tidemill::log_internal {
namespace {

constexpr std::string_view kCheckpointMagic = "TMCP0002";
constexpr std::string_view kOldMagic = "TMCP0001";  // without producers
constexpr size_t kMarkBytes = 32;
constexpr int64_t kMarkFileMax = 64 << 10;
constexpr int64_t kCheckpointMax = 256 << 20;

std::string EncodeMark(const DurableMark& mark) {
  std::string bytes;
  AppendBig(&bytes, mark.segment_base);
  AppendBig(&bytes, mark.position);
  AppendBig(&bytes, mark.offset);
  AppendBig<uint32_t>(&bytes, mark.sync_failed ? 1 : 0);
  AppendBig(&bytes, Crc32c(bytes));
  return bytes;
}

std::optional<DurableMark> ParseMark(std::string_view bytes) {
  if (LoadBig<uint32_t>(bytes.data() + kMarkBytes - 4) != Crc32c(bytes.substr(0, kMarkBytes - 4))) return std::nullopt;
  ByteReader reader(bytes);
  DurableMark mark;
  mark.segment_base = reader.Big<int64_t>();
  mark.position = reader.Big<int64_t>();
  mark.offset = reader.Big<int64_t>();
  mark.sync_failed = reader.Big<uint32_t>() != 0;
  return mark;
}

}  // namespace

Result<std::optional<Checkpoint>> LoadCheckpoint(FileSystem& files, const std::string& directory) {
  const std::string path = JoinPath(directory, "checkpoint");
  if (!files.Exists(path)) return std::optional<Checkpoint>();
  TM_ASSIGN_OR_RETURN(const std::string bytes, ReadFile(files, path, kCheckpointMax));
  const std::string_view all = bytes;
  if (all.size() < kCheckpointMagic.size() + 4 || !(all.starts_with(kCheckpointMagic) || all.starts_with(kOldMagic)) ||
      LoadBig<uint32_t>(all.data() + all.size() - 4) != Crc32c(all.substr(0, all.size() - 4))) {
    LogWarning("'" + path + "' is damaged; it is made again from the segments");
    return std::optional<Checkpoint>();
  }
  ByteReader reader(all.substr(kCheckpointMagic.size(), all.size() - kCheckpointMagic.size() - 4));
  Checkpoint checkpoint;
  checkpoint.log_start = reader.Big<int64_t>();
  checkpoint.segment_base = reader.Big<int64_t>();
  checkpoint.position = reader.Big<int64_t>();
  checkpoint.offset = reader.Big<int64_t>();
  const int version = all.starts_with(kOldMagic) ? 1 : 2;
  checkpoint.transactions = TransactionState::ParseFrom(&reader, version);
  if (version > 1) {
    checkpoint.producers = reader.Text();
    checkpoint.cleaned_to = reader.Big<int64_t>();
    checkpoint.clean_again_ms = reader.Big<int64_t>();
  }
  if (!reader.ok() || !reader.AtEnd()) return Status(kCorruption, "'" + path + "' is of an unknown form");
  return std::optional<Checkpoint>(std::move(checkpoint));
}

Status StoreCheckpoint(FileSystem& files, const std::string& directory, const Checkpoint& checkpoint) {
  std::string bytes(kCheckpointMagic);
  AppendBig(&bytes, checkpoint.log_start);
  AppendBig(&bytes, checkpoint.segment_base);
  AppendBig(&bytes, checkpoint.position);
  AppendBig(&bytes, checkpoint.offset);
  checkpoint.transactions.AppendTo(&bytes);
  AppendText(&bytes, checkpoint.producers);
  AppendBig(&bytes, checkpoint.cleaned_to);
  AppendBig(&bytes, checkpoint.clean_again_ms);
  AppendBig(&bytes, Crc32c(bytes));
  return WriteFileAtomically(files, JoinPath(directory, "checkpoint"), bytes);
}

Result<std::unique_ptr<DurableMarkFile>> DurableMarkFile::Open(FileSystem& files, const std::string& directory) {
  std::unique_ptr<DurableMarkFile> marks(new DurableMarkFile(files, JoinPath(directory, "durable")));
  if (files.Exists(marks->path_)) {
    TM_ASSIGN_OR_RETURN(const std::string bytes, ReadFile(files, marks->path_, kMarkFileMax * 2));
    for (size_t at = 0; at + kMarkBytes <= bytes.size(); at += kMarkBytes) {
      const auto mark = ParseMark(std::string_view(bytes).substr(at, kMarkBytes));
      // A torn or damaged mark is passed over: each is true by itself, and the furthest is the best.
      if (mark && (!marks->last_ || mark->offset >= marks->last_->offset)) marks->last_ = mark;
    }
  }
  return marks;
}

Status DurableMarkFile::Add(const DurableMark& mark) {
  const std::string bytes = EncodeMark(mark);
  last_ = mark;
  std::lock_guard lock(mutex_);
  if (file_ != nullptr && file_->size() < kMarkFileMax) {
    dirty_ = true;
    return file_->Append(bytes);
  }
  file_.reset();
  TM_RETURN_IF_ERROR(WriteFileAtomically(files_, path_, bytes));
  TM_ASSIGN_OR_RETURN(file_, files_.OpenWritable(path_, FileSystem::OpenMode::kAppend));
  dirty_ = false;
  return Status::OK();
}

Status DurableMarkFile::Sync() {
  std::shared_ptr<WritableFile> file;
  {
    std::lock_guard lock(mutex_);
    if (!dirty_) return Status::OK();
    dirty_ = false;
    file = file_;
  }
  return file->Sync();
}

}  // namespace tidemill::log_internal
