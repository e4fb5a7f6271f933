#include "job/journal_store.h"

#include <arrow/api.h>
#include <arrow/io/memory.h>
#include <arrow/ipc/api.h>
#include <fmt/format.h>

#define XXH_INLINE_ALL
#include <algorithm>
#include <cstring>

#include <xxhash.h>

#include "data/arrow_status.h"
#include "job/errors.h"

namespace tidemill {
namespace {

constexpr int64_t kJournalBytesMax = int64_t{4} << 30;
constexpr const char* kKindColumn = "$row_kind";

struct EntryHeader {
  uint64_t bytes;
  uint64_t checksum;
};

struct JournalFileName {
  int subtask = 0;
  int64_t epoch = 0;
  int64_t run = 0;
};

// Operator names hold brackets and more: letters stay, the rest becomes its code.
std::string FolderOf(const std::string& operator_name) {
  std::string folder;
  for (unsigned char c : operator_name) {
    folder += std::isalnum(c) || c == '_' ? std::string(1, static_cast<char>(c)) : fmt::format("-{:02x}", c);
  }
  return folder;
}

bool ParseName(const std::string& path, JournalFileName& name) {
  const std::string file = path.substr(path.rfind('/') + 1);
  return std::sscanf(file.c_str(), "%d.%ld.%ld", &name.subtask, &name.epoch, &name.run) == 3;
}

// Batches with one schema as an IPC stream; kinds go as a column.
Result<std::string> EncodeBatches(const std::vector<Batch>& batches) {
  TM_ARROW_ASSIGN_OR_RETURN(auto sink, arrow::io::BufferOutputStream::Create(), "journal");
  std::shared_ptr<arrow::ipc::RecordBatchWriter> writer;
  for (const Batch& batch : batches) {
    std::shared_ptr<arrow::RecordBatch> rows = batch.rows;
    std::shared_ptr<arrow::Array> kinds = batch.row_kinds;
    if (kinds == nullptr) {
      TM_ARROW_ASSIGN_OR_RETURN(kinds, arrow::MakeArrayFromScalar(arrow::Int8Scalar(0), rows->num_rows()), "journal");
    }
    TM_ARROW_ASSIGN_OR_RETURN(rows, rows->AddColumn(rows->num_columns(), kKindColumn, kinds), "journal");
    if (writer == nullptr) {
      TM_ARROW_ASSIGN_OR_RETURN(writer, arrow::ipc::MakeStreamWriter(sink, rows->schema()), "journal");
    }
    TM_ARROW_RETURN_IF_ERROR(writer->WriteRecordBatch(*rows), "journal");
  }
  TM_ARROW_RETURN_IF_ERROR(writer->Close(), "journal");
  TM_ARROW_ASSIGN_OR_RETURN(auto buffer, sink->Finish(), "journal");
  return buffer->ToString();
}

Status DecodeBatches(std::string bytes, std::vector<Batch>& out) {
  const auto buffer = arrow::Buffer::FromString(std::move(bytes));
  TM_ARROW_ASSIGN_OR_RETURN(
      auto reader, arrow::ipc::RecordBatchStreamReader::Open(std::make_shared<arrow::io::BufferReader>(buffer)),
      "journal");
  while (true) {
    std::shared_ptr<arrow::RecordBatch> rows;
    TM_ARROW_RETURN_IF_ERROR(reader->ReadNext(&rows), "journal");
    if (rows == nullptr) return Status::OK();
    const int last = rows->num_columns() - 1;
    const std::shared_ptr<arrow::Array> kinds = rows->column(last);
    TM_ARROW_ASSIGN_OR_RETURN(rows, rows->RemoveColumn(last), "journal");
    out.push_back(Batch{std::move(rows), kinds, 0});
  }
}

}  // namespace

// One subtask's end: hands batches to the store's thread.
class JournalStore::SubtaskJournal final : public Journal {
 public:
  SubtaskJournal(JournalStore& store, std::string folder, int subtask, int64_t epoch)
      : store_(store), folder_(std::move(folder)), subtask_(subtask), epoch_(epoch) {}

  void Append(const Batch& batch, std::function<void(Status)> done) override {
    if (file_ == nullptr) {
      file_ = std::make_shared<File>();
      file_->path = JoinPath(folder_, fmt::format("{}.{}.{}", subtask_, epoch_, store_.run_));
    }
    store_.Push({file_, batch, std::move(done)});
  }
  Result<std::vector<Batch>> TakeRecovered() override { return store_.ReadRecovered(folder_); }
  void StartEpoch(int64_t epoch) override {
    epoch_ = epoch;
    file_.reset();  // closed by the store's thread when its last request is done
  }

 private:
  JournalStore& store_;
  const std::string folder_;
  const int subtask_;
  int64_t epoch_;
  std::shared_ptr<File> file_;
};

Result<std::unique_ptr<JournalStore>> JournalStore::Open(FileSystem& files, std::string directory, int64_t epoch,
                                                         bool threaded) {
  std::unique_ptr<JournalStore> store(new JournalStore(files, JoinPath(directory, "journal"), epoch));
  TM_RETURN_IF_ERROR(store->Scan());
  if (threaded) store->thread_ = std::thread([raw = store.get()] { raw->Loop(); });
  return store;
}

JournalStore::~JournalStore() {
  {
    std::lock_guard<std::mutex> lock(mutex_);
    stop_ = true;
  }
  changed_.notify_all();
  if (thread_.joinable()) thread_.join();
}

Status JournalStore::Scan() {
  greatest_epoch_ = epoch_;
  if (const auto stat = files_.Stat(directory_); !stat.ok()) {
    return stat.status().Is(kFileNotFound) ? Status::OK() : stat.status();
  }
  TM_ASSIGN_OR_RETURN(const std::vector<FileInfo> found, ListRecursively(files_, directory_));
  for (const FileInfo& file : found) {
    JournalFileName name;
    if (!ParseName(file.path, name)) continue;
    greatest_epoch_ = std::max(greatest_epoch_, name.epoch);
    run_ = std::max(run_, name.run + 1);
  }
  return Status::OK();
}

Result<std::unique_ptr<Journal>> JournalStore::MakeJournal(const std::string& operator_name, int subtask) {
  const std::string folder = JoinPath(directory_, FolderOf(operator_name));
  TM_RETURN_IF_ERROR(files_.CreateDirectories(folder));
  return std::unique_ptr<Journal>(std::make_unique<SubtaskJournal>(*this, folder, subtask, greatest_epoch_ + 1));
}

void JournalStore::Push(Request request) {
  {
    std::lock_guard<std::mutex> lock(mutex_);
    queue_.push_back(std::move(request));
  }
  changed_.notify_one();
}

void JournalStore::Loop() {
  while (true) {
    {
      std::unique_lock<std::mutex> lock(mutex_);
      changed_.wait(lock, [&] { return stop_ || !queue_.empty(); });
      if (stop_) return;  // what was not synced had no effect: nobody was told that it is done
    }
    Flush();
  }
}

void JournalStore::Flush() {
  std::deque<Request> requests;
  {
    std::lock_guard<std::mutex> lock(mutex_);
    requests.swap(queue_);
  }
  std::map<File*, std::vector<Batch>> by_file;
  for (const Request& request : requests) by_file[request.file.get()].push_back(request.batch);
  for (auto& [file, batches] : by_file) {
    const auto write = [&, file = file, &batches = batches]() -> Status {
      TM_RETURN_IF_ERROR(file->failed);
      if (file->out == nullptr) {
        TM_ASSIGN_OR_RETURN(file->out, files_.OpenWritable(file->path, FileSystem::OpenMode::kTruncate));
        TM_RETURN_IF_ERROR(files_.SyncDirectory(DirectoryOf(file->path)));
      }
      TM_ASSIGN_OR_RETURN(const std::string bytes, EncodeBatches(batches));
      const EntryHeader header{bytes.size(), XXH3_64bits(bytes.data(), bytes.size())};
      std::string record(reinterpret_cast<const char*>(&header), sizeof(header));
      record += bytes;
      TM_RETURN_IF_ERROR(file->out->Append(record));
      return file->out->Sync();
    };
    file->failed = write();
  }
  for (Request& request : requests) request.done(request.file->failed);
}

Result<std::vector<Batch>> JournalStore::ReadRecovered(const std::string& folder) {
  std::vector<Batch> batches;
  TM_ASSIGN_OR_RETURN(const std::vector<FileInfo> found, files_.List(folder));
  std::vector<std::pair<JournalFileName, std::string>> files;
  for (const FileInfo& file : found) {
    JournalFileName name;
    if (ParseName(file.path, name) && name.epoch > epoch_ && name.run < run_) files.emplace_back(name, file.path);
  }
  std::sort(files.begin(), files.end(), [](const auto& a, const auto& b) {
    return std::tie(a.first.run, a.first.epoch, a.first.subtask) <
           std::tie(b.first.run, b.first.epoch, b.first.subtask);
  });
  for (const auto& [name, path] : files) {
    TM_ASSIGN_OR_RETURN(const std::string bytes, ReadFile(files_, path, kJournalBytesMax));
    size_t at = 0;
    while (at + sizeof(EntryHeader) <= bytes.size()) {
      EntryHeader header;
      std::memcpy(&header, bytes.data() + at, sizeof(header));
      const size_t body = at + sizeof(header);
      if (header.bytes == 0 || header.bytes > bytes.size() - body) break;  // a torn tail: it was never acknowledged
      const std::string_view record(bytes.data() + body, header.bytes);
      if (XXH3_64bits(record.data(), record.size()) != header.checksum) {
        // The tail of a crash may hold zeroed sectors; damage before whole records is another thing.
        if (body + header.bytes == bytes.size()) break;
        return Status(kCorruption, path + ": record at byte " + std::to_string(at) + ": checksum differs");
      }
      TM_RETURN_IF_ERROR(DecodeBatches(std::string(record), batches).WithContext(path));
      at = body + header.bytes;
    }
  }
  return batches;
}

void JournalStore::OnEpochDurable(int64_t epoch) {
  const auto found = ListRecursively(files_, directory_);
  if (!found.ok()) return;
  for (const FileInfo& file : *found) {
    JournalFileName name;
    if (ParseName(file.path, name) && name.epoch <= epoch) (void)files_.Remove(file.path).ok();
  }
}

Status JournalStore::RemoveAll(FileSystem& files, const std::string& directory) {
  return RemoveRecursively(files, JoinPath(directory, "journal"));
}

}  // namespace tidemill
