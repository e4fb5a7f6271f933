#include "state/snapshot_file.h"

#include <arrow/api.h>
#include <arrow/io/memory.h>
#include <arrow/ipc/api.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

#include "base/errors.h"
#include "data/arrow_status.h"

namespace tidemill {
namespace {

constexpr int64_t kSnapshotBytesMax = int64_t{64} << 30;

// Arrow's stream over a file of ours, with the checksum of what went through.
class ChecksummedStream final : public arrow::io::OutputStream {
 public:
  explicit ChecksummedStream(WritableFile& file) : file_(file) { XXH3_64bits_reset(&hash_); }

  arrow::Status Write(const void* data, int64_t nbytes) override {
    XXH3_64bits_update(&hash_, data, static_cast<size_t>(nbytes));
    written_ += nbytes;
    failure_ = file_.Append({static_cast<const char*>(data), static_cast<size_t>(nbytes)});
    return failure_.ok() ? arrow::Status::OK() : arrow::Status::IOError(failure_.message());
  }
  arrow::Status Close() override {
    closed_ = true;
    return arrow::Status::OK();
  }
  bool closed() const override { return closed_; }
  arrow::Result<int64_t> Tell() const override { return written_; }

  uint64_t checksum() const { return XXH3_64bits_digest(&hash_); }
  const Status& failure() const { return failure_; }

 private:
  WritableFile& file_;
  XXH3_state_t hash_;
  int64_t written_ = 0;
  bool closed_ = false;
  Status failure_;
};

arrow::Status WriteIpc(ChecksummedStream& stream, const TableSnapshot& snapshot) {
  const auto schema = snapshot.batches.empty() ? arrow::schema({}) : snapshot.batches[0]->schema();
  ARROW_ASSIGN_OR_RAISE(auto writer, arrow::ipc::MakeFileWriter(&stream, schema));
  for (const auto& batch : snapshot.batches) ARROW_RETURN_NOT_OK(writer->WriteRecordBatch(*batch));
  return writer->Close();
}

Status Corrupt(const std::string& path, const std::string& what) { return Status(kCorruption, path + ": " + what); }

}  // namespace

Result<StateFile> WriteSnapshotFile(FileSystem& fs, const std::string& directory, const std::string& relative_path,
                                    const TableSnapshot& snapshot) {
  const std::string path = JoinPath(directory, relative_path);
  TM_RETURN_IF_ERROR(fs.CreateDirectories(DirectoryOf(path)));
  TM_ASSIGN_OR_RETURN(auto file, fs.OpenWritable(path, FileSystem::OpenMode::kTruncate));
  ChecksummedStream stream(*file);
  const arrow::Status written = WriteIpc(stream, snapshot);
  TM_RETURN_IF_ERROR(stream.failure());  // as the file system said it: disk full stays disk full
  TM_RETURN_IF_ERROR(FromArrowStatus(written, "write " + path));
  TM_RETURN_IF_ERROR(file->Sync());
  StateFile out{snapshot.operator_name, snapshot.table, snapshot.full, relative_path, file->size(), stream.checksum()};
  TM_RETURN_IF_ERROR(file->Close());
  TM_RETURN_IF_ERROR(fs.SyncDirectory(DirectoryOf(path)));
  return out;
}

Result<TableSnapshot> ReadSnapshotFile(FileSystem& fs, const std::string& directory, const StateFile& file) {
  const std::string path = JoinPath(directory, file.path);
  TM_ASSIGN_OR_RETURN(std::string bytes, ReadFile(fs, path, kSnapshotBytesMax));
  if (static_cast<int64_t>(bytes.size()) != file.bytes) {
    return Corrupt(path,
                   "has " + std::to_string(bytes.size()) + " bytes, the manifest says " + std::to_string(file.bytes));
  }
  if (XXH3_64bits(bytes.data(), bytes.size()) != file.checksum)
    return Corrupt(path, "checksum differs from the manifest's");
  const auto buffer = arrow::Buffer::FromString(std::move(bytes));
  const auto source = std::make_shared<arrow::io::BufferReader>(buffer);
  auto reader = arrow::ipc::RecordBatchFileReader::Open(source);
  if (!reader.ok()) return Corrupt(path, reader.status().message());
  TableSnapshot snapshot{file.operator_name, file.table, file.full, {}};
  for (int i = 0; i < (*reader)->num_record_batches(); ++i) {
    auto batch = (*reader)->ReadRecordBatch(i);
    if (!batch.ok()) return Corrupt(path, batch.status().message());
    snapshot.batches.push_back(*std::move(batch));
  }
  return snapshot;
}

}  // namespace tidemill
