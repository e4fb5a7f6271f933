#include "connect/filesystem/file_sink.h"

#include <algorithm>
#include <map>
#include <mutex>
#include <unordered_map>

#include <arrow/array.h>
#include <arrow/record_batch.h>
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "connect/errors.h"
#include "connect/filesystem/background_worker.h"
#include "connect/filesystem/row_file.h"
#include "connect/persisted_columns.h"
#include "data/format.h"
#include "data/key_encoder.h"

namespace tidemill {
namespace {

constexpr size_t kOpenFilesMax = 256;   // of one writer; above that its largest is finished early
constexpr int kUnfinishedFilesMax = 8;  // finished files that wait for the disk before the writer has no room

// A file from the staging folder and where it is to appear; both relative to the table's path.
struct StagedFile {
  std::string from;
  std::string to;
};

std::string SafeFolderName(const std::string& job, const std::string& sink) {
  const std::string name = job + "." + sink;
  if (IsSafeName(name)) return name;
  std::string safe;
  for (const char c : name)
    safe += std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '.' || c == '-' || c == '_' ? c : '_';
  return safe.substr(0, 100) + fmt::format("-{:016x}", std::hash<std::string>()(name));
}

// What all writers of a sink share.
struct SinkSetup {
  FileSystem* files = nullptr;
  FileTableOptions options;
  Schema schema;                       // persisted columns
  Schema content_schema;               // those that are in the files
  std::vector<int> content_columns;    // numbers into `schema`
  std::vector<int> partition_columns;  // numbers into `schema`, in the order of PARTITIONED BY

  std::string Path(const std::string& relative) const { return JoinPath(options.path, relative); }
};

// Files that are being finished by the worker, and the first error. Shared between a writer and the worker; outlives
// the writer.
class Finishing {
 public:
  explicit Finishing(std::function<void()> wake) : wake_(std::move(wake)) {}

  void Begin() {
    std::lock_guard<std::mutex> lock(mutex_);
    ++waiting_;
  }
  void End(const Status& status) {
    {
      std::lock_guard<std::mutex> lock(mutex_);
      --waiting_;
      if (error_.ok()) error_ = status;
    }
    if (wake_) wake_();
  }
  int waiting() const {
    std::lock_guard<std::mutex> lock(mutex_);
    return waiting_;
  }
  Status error() const {
    std::lock_guard<std::mutex> lock(mutex_);
    return error_;
  }

 private:
  const std::function<void()> wake_;
  mutable std::mutex mutex_;
  int waiting_ = 0;
  Status error_;
};

class FileSinkWriter final : public SinkWriter {
 public:
  FileSinkWriter(const SinkSetup& setup, BackgroundWorker& worker, std::string staging, SinkContext context)
      : setup_(setup),
        worker_(worker),
        staging_(std::move(staging)),
        context_(std::move(context)),
        finishing_(std::make_shared<Finishing>(context_.wake)) {
    // Two runs never give two files one name: the time of opening is in it.
    prefix_ = fmt::format("part-{:x}-{}", context_.clock->NowMicros(), context_.subtask);
  }

  Status Start() {
    if (setup_.partition_columns.empty()) return Status::OK();
    std::vector<DataType> types;
    std::vector<Field> fields;
    for (const int column : setup_.partition_columns) {
      types.push_back(setup_.schema.field(column).type);
      fields.push_back(setup_.schema.field(column));
    }
    TM_ASSIGN_OR_RETURN(keys_, KeyEncoder::Make(std::move(types)));
    partition_schema_ = Schema(std::move(fields));
    TM_ASSIGN_OR_RETURN(values_, MakeCsvEncoder(partition_schema_, PartitionText()));
    return Status::OK();
  }

  Status Write(Batch batch) override {
    TM_RETURN_IF_ERROR(CheckInsertOnly(batch));
    TM_RETURN_IF_ERROR(finishing_->error());
    if (!keys_) return WriteTo("", Content(batch));
    TM_ASSIGN_OR_RETURN(const EncodedKeys keys, keys_->Encode(PartitionColumns(batch), batch.num_rows()));
    groups_.clear();
    for (int64_t i = 0; i < batch.num_rows(); ++i) groups_[std::string(keys.key(i))].push_back(static_cast<int32_t>(i));
    for (const auto& [key, rows] : groups_) {
      TM_ASSIGN_OR_RETURN(const std::string folder, FolderOf(key, batch, rows[0]));
      if (groups_.size() == 1) {
        TM_RETURN_IF_ERROR(WriteTo(folder, Content(batch)));
      } else {
        TM_ASSIGN_OR_RETURN(const Batch part, TakeRows(Content(batch), rows));
        TM_RETURN_IF_ERROR(WriteTo(folder, part));
      }
    }
    return Status::OK();
  }

  bool HasRoom() const override { return finishing_->waiting() < kUnfinishedFilesMax; }

  Result<std::optional<std::string>> Prepare(int64_t) override {
    while (!open_.empty()) FinishFile(open_.begin());
    if (finishing_->waiting() > 0) return std::optional<std::string>();
    TM_RETURN_IF_ERROR(finishing_->error());
    if (staged_.empty()) return std::optional<std::string>("");
    nlohmann::json handle = nlohmann::json::array();
    for (const StagedFile& file : staged_) handle.push_back({file.from, file.to});
    staged_.clear();
    return std::optional<std::string>(handle.dump());
  }

  void Close() noexcept override { open_.clear(); }  // their files are leftovers, which the next opening removes

 private:
  struct OpenFile {
    std::shared_ptr<RowFile> rows;
    StagedFile staged;
  };
  using OpenFiles = std::map<std::string, OpenFile>;  // by folder

  Config PartitionText() const {
    Config options;
    options.Set("null-literal", setup_.options.default_partition);
    return options;
  }

  Status CheckInsertOnly(const Batch& batch) const {
    if (!batch.row_kinds) return Status::OK();
    const auto& kinds = static_cast<const arrow::Int8Array&>(*batch.row_kinds);
    for (int64_t i = 0; i < kinds.length(); ++i) {
      if (kinds.Value(i) != static_cast<int8_t>(RowKind::kInsert)) {
        return Status(kInvalidInsert,
                      "files keep inserts only, but sink '" + context_.sink_name + "' got an update or delete");
      }
    }
    return Status::OK();
  }

  std::vector<std::shared_ptr<arrow::Array>> PartitionColumns(const Batch& batch) const {
    std::vector<std::shared_ptr<arrow::Array>> out;
    for (const int column : setup_.partition_columns) out.push_back(batch.rows->column(column));
    return out;
  }

  Batch Content(const Batch& batch) const {
    if (setup_.partition_columns.empty()) return batch;
    arrow::ArrayVector columns;
    for (const int column : setup_.content_columns) columns.push_back(batch.rows->column(column));
    return batch.WithRows(
        arrow::RecordBatch::Make(setup_.content_schema.arrow(), batch.num_rows(), std::move(columns)));
  }

  // "day=2024-05-01/country=DE" for the rows with this key, `row` being one of them.
  Result<std::string> FolderOf(const std::string& key, const Batch& batch, int32_t row) {
    const auto known = folders_.find(key);
    if (known != folders_.end()) return known->second;
    const auto one =
        arrow::RecordBatch::Make(partition_schema_.arrow(), batch.num_rows(), PartitionColumns(batch))->Slice(row, 1);
    std::string record;
    std::vector<size_t> ends;
    TM_RETURN_IF_ERROR(values_->Encode(Batch{one, nullptr, 0}, record, ends));
    TM_ASSIGN_OR_RETURN(const auto texts, SplitCsvRecord(record, PartitionText()));
    std::string folder;
    for (size_t i = 0; i < texts.size(); ++i) {
      if (i > 0) folder += '/';
      const std::string value = texts[i].empty() ? setup_.options.default_partition : texts[i];
      folder += EscapePathValue(partition_schema_.field(static_cast<int>(i)).name) + "=" + EscapePathValue(value);
    }
    if (folders_.size() >= 100'000) folders_.clear();
    folders_[key] = folder;
    return folder;
  }

  Status WriteTo(const std::string& folder, const Batch& content) {
    auto found = open_.find(folder);
    if (found == open_.end()) {
      if (open_.size() >= kOpenFilesMax) FinishFile(Largest());
      TM_ASSIGN_OR_RETURN(OpenFile opened, OpenNew(folder));
      found = open_.emplace(folder, std::move(opened)).first;
    }
    TM_RETURN_IF_ERROR(found->second.rows->Write(content));
    if (found->second.rows->num_bytes() >= setup_.options.rolling_file_bytes) FinishFile(found);
    return Status::OK();
  }

  OpenFiles::iterator Largest() {
    return std::max_element(open_.begin(), open_.end(), [](const auto& a, const auto& b) {
      return a.second.rows->num_bytes() < b.second.rows->num_bytes();
    });
  }

  Result<OpenFile> OpenNew(const std::string& folder) {
    const std::string name =
        prefix_ + "-" + std::to_string(next_file_++) + std::string(ExtensionOf(setup_.options.format));
    OpenFile out;
    out.staged.from = JoinPath(staging_, name + ".inprogress");
    out.staged.to = folder.empty() ? name : JoinPath(folder, name);
    TM_ASSIGN_OR_RETURN(auto file,
                        setup_.files->OpenWritable(setup_.Path(out.staged.from), FileSystem::OpenMode::kCreateNew));
    TM_ASSIGN_OR_RETURN(auto rows,
                        RowFile::Open(std::move(file), setup_.options.format, setup_.content_schema, setup_.options));
    out.rows = std::move(rows);
    return out;
  }

  void FinishFile(OpenFiles::iterator file) {
    staged_.push_back(file->second.staged);
    finishing_->Begin();
    worker_.Submit([rows = std::move(file->second.rows), finishing = finishing_, files = setup_.files,
                    folder = setup_.Path(staging_)]() mutable {
      Status status = rows->Finish();
      rows.reset();
      if (status.ok()) status = files->SyncDirectory(folder);
      finishing->End(status);
    });
    open_.erase(file);
  }

  const SinkSetup& setup_;
  BackgroundWorker& worker_;
  const std::string staging_;  // relative to the table's path
  SinkContext context_;
  std::shared_ptr<Finishing> finishing_;
  std::string prefix_;
  int64_t next_file_ = 0;
  OpenFiles open_;
  std::vector<StagedFile> staged_;  // of the running epoch, being finished or finished
  std::unique_ptr<KeyEncoder> keys_;
  Schema partition_schema_;
  std::unique_ptr<RowEncoder> values_;
  std::map<std::string, std::vector<int32_t>> groups_;    // rows by key, of the batch at hand
  std::unordered_map<std::string, std::string> folders_;  // by key
};

class FileSink final : public Sink {
 public:
  FileSink(SinkSetup setup, std::string job) : setup_(std::move(setup)), job_(std::move(job)) {}

  ~FileSink() override {
    if (lock_ == nullptr) return;
    // Nothing may be left of it in a folder that others read; what is not empty stays.
    (void)setup_.files->Remove(setup_.Path(JoinPath(staging_, kLockName)));
    lock_.reset();
    (void)setup_.files->Remove(setup_.Path(staging_));
    (void)setup_.files->Remove(setup_.Path(kStagingFolder));
  }

  Result<std::unique_ptr<SinkWriter>> OpenWriter(SinkContext context) override {
    TM_RETURN_IF_ERROR(OpenStaging(SafeFolderName(job_, context.sink_name)));
    auto writer = std::make_unique<FileSinkWriter>(setup_, worker_, staging_, std::move(context));
    TM_RETURN_IF_ERROR(writer->Start());
    std::unique_ptr<SinkWriter> out = std::move(writer);
    return out;
  }

  Status Commit(std::span<const std::string> handles) override {
    std::map<std::string, bool> folders;  // to sync
    for (const std::string& handle : handles) {
      if (handle.empty()) continue;
      const auto files = nlohmann::json::parse(handle, nullptr, false);
      if (!files.is_array())
        return Status(kCorruption, "a prepared transaction of files can't be read: " + handle.substr(0, 200));
      for (const auto& file : files) {
        if (!file.is_array() || file.size() != 2 || !file[0].is_string() || !file[1].is_string()) {
          return Status(kCorruption, "a prepared transaction of files can't be read: " + handle.substr(0, 200));
        }
        TM_RETURN_IF_ERROR(Show({file[0].get<std::string>(), file[1].get<std::string>()}, folders));
      }
    }
    for (const auto& [folder, made] : folders) TM_RETURN_IF_ERROR(setup_.files->SyncDirectory(folder));
    return Status::OK();
  }

  Status Recover(std::span<const std::string> handles) override {
    // Other leftovers are removed by the first OpenWriter, which knows the sink's name.
    return Commit(handles);
  }

 private:
  static constexpr const char* kStagingFolder = ".tidemill";
  static constexpr const char* kLockName = "lock";

  // Renames a staged file to where it belongs. One that is no longer there was renamed before: it had been synced
  // before the handle was given.
  Status Show(const StagedFile& file, std::map<std::string, bool>& folders) {
    const std::string from = setup_.Path(file.from);
    const auto staged = setup_.files->Stat(from);
    if (!staged.ok()) return staged.status().Is(kFileNotFound) ? Status::OK() : staged.status();
    const std::string to = setup_.Path(file.to);
    std::string folder = to.substr(0, to.rfind('/'));
    TM_RETURN_IF_ERROR(setup_.files->CreateDirectories(folder));
    TM_RETURN_IF_ERROR(setup_.files->Rename(from, to));
    // A new folder is durable when the folder above it is: up to the table's own.
    for (; folder.size() > setup_.options.path.size(); folder.resize(folder.rfind('/'))) folders[folder] = true;
    folders[setup_.options.path] = true;
    folders[from.substr(0, from.rfind('/'))] = true;
    return Status::OK();
  }

  Status OpenStaging(const std::string& name) {
    std::lock_guard<std::mutex> lock(mutex_);
    if (!staging_.empty()) return Status::OK();
    const std::string staging = JoinPath(kStagingFolder, name);
    const std::string folder = setup_.Path(staging);
    TM_RETURN_IF_ERROR(setup_.files->CreateDirectories(folder));
    auto locked = setup_.files->Lock(JoinPath(folder, kLockName));
    if (!locked.ok()) {
      if (!locked.status().Is(kAlreadyLocked)) return locked.status();
      return Status(kAlreadyLocked, "another run of this job writes to '" + setup_.options.path + "'");
    }
    lock_ = *std::move(locked);
    TM_ASSIGN_OR_RETURN(const auto leftovers, setup_.files->List(folder));
    for (const FileInfo& leftover : leftovers) {
      if (leftover.path.ends_with(".inprogress")) TM_RETURN_IF_ERROR(setup_.files->Remove(leftover.path));
    }
    // The folders above must survive a crash before a handle names a file in them.
    TM_RETURN_IF_ERROR(setup_.files->SyncDirectory(setup_.options.path));
    TM_RETURN_IF_ERROR(setup_.files->SyncDirectory(setup_.Path(kStagingFolder)));
    TM_RETURN_IF_ERROR(setup_.files->SyncDirectory(folder));
    staging_ = staging;
    return Status::OK();
  }

  const SinkSetup setup_;
  const std::string job_;
  std::mutex mutex_;
  std::string staging_;  // relative to the table's path; empty until the first writer opens
  std::unique_ptr<FileLock> lock_;
  BackgroundWorker worker_;  // last: stops first
};

Result<SinkSetup> MakeSetup(const TableDefinition& table, FileTableOptions options) {
  SinkSetup setup;
  setup.schema = PersistedSchema(table);
  std::vector<Field> content;
  for (const std::string& name : table.partitioned_by) {
    const auto column = setup.schema.IndexOf(name);
    if (!column)
      return Status(kInvalidOption, "PARTITIONED BY names '" + name + "', which is no written column")
          .At(table.position);
    setup.partition_columns.push_back(*column);
  }
  for (int c = 0; c < setup.schema.num_fields(); ++c) {
    if (std::find(setup.partition_columns.begin(), setup.partition_columns.end(), c) != setup.partition_columns.end())
      continue;
    setup.content_columns.push_back(c);
    content.push_back(setup.schema.field(c));
  }
  if (content.empty())
    return Status(kInvalidOption, "no column is left to write besides those of PARTITIONED BY").At(table.position);
  setup.content_schema = Schema(std::move(content));
  if (options.format.empty()) {
    return Status(kMissingOption, "writing to connector 'filesystem' needs option 'format' (json, csv, raw, parquet)")
        .At(table.position);
  }
  setup.options = std::move(options);
  return setup;
}

}  // namespace

Result<std::unique_ptr<Sink>> MakeFileSink(const SinkSpec& sink, const ConnectorContext& context) {
  if (context.files == nullptr) return Status(kInvalidConfig, "table '" + sink.table->name + "' needs a file system");
  TM_ASSIGN_OR_RETURN(FileTableOptions options, ParseFileTableOptions(*sink.table, sink.table->options));
  TM_ASSIGN_OR_RETURN(SinkSetup setup, MakeSetup(*sink.table, std::move(options)));
  setup.files = context.files;
  std::unique_ptr<Sink> out = std::make_unique<FileSink>(std::move(setup), context.job);
  return out;
}

Status CheckFileSink(const TableDefinition& table, const FileTableOptions& options) {
  TM_ASSIGN_OR_RETURN(const SinkSetup setup, MakeSetup(table, options));
  for (const int column : setup.partition_columns) {
    const auto keys = KeyEncoder::Make({setup.schema.field(column).type});
    if (!keys.ok()) return keys.status().WithContext("PARTITIONED BY").At(table.position);
  }
  if (options.format == "parquet") return Status::OK();
  const auto encoder = MakeRowEncoder(options.format, setup.content_schema, options.FormatOptions(options.format));
  return encoder.ok() ? Status::OK() : encoder.status().At(table.position);
}

}  // namespace tidemill
