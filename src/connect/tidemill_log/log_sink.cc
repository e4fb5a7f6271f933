#include "connect/tidemill_log/log_sink.h"

#include <algorithm>
#include <map>
#include <mutex>
#include <set>

#include "base/murmur.h"
#include "connect/errors.h"
#include "connect/persisted_columns.h"
#include "connect/schema_registry/open_schema_source.h"
#include "connect/tidemill_log/log_options.h"
#include "connect/upsert_rows.h"
#include "data/format.h"
#include "log/log.h"

namespace tidemill {
namespace {

constexpr size_t kChunkBytes = 1 << 20;  // of values, per append: far below a topic's max.message.bytes

// An answer that comes on a thread of the log and is fetched by the lane. Outlives the writer.
template <typename T>
class Answer {
 public:
  explicit Answer(std::function<void()> wake) : wake_(std::move(wake)) {}
  void Set(Result<T> value) {
    {
      std::lock_guard<std::mutex> lock(mutex_);
      value_ = std::move(value);
    }
    if (wake_) wake_();
  }
  std::optional<Result<T>> Get() const {
    std::lock_guard<std::mutex> lock(mutex_);
    return value_;
  }

 private:
  const std::function<void()> wake_;
  mutable std::mutex mutex_;
  std::optional<Result<T>> value_;
};

// What all writers of a sink share.
struct LogSinkSetup {
  Log* log;
  std::string topic;
  int32_t partitions;
  bool exactly_once;
  std::string format;
  bool changelog;  // the format has changes of its own
  Config format_options;
  std::shared_ptr<SchemaSource> schemas;
  std::string key_format;
  Schema schema;                 // of the rows that are written
  std::vector<int> key_columns;  // numbers into `schema`
};

class LogSinkWriter final : public SinkWriter {
 public:
  static Result<std::unique_ptr<SinkWriter>> Make(const LogSinkSetup& setup, SinkContext context,
                                                  std::string transactional_id) {
    auto writer =
        std::unique_ptr<LogSinkWriter>(new LogSinkWriter(setup, std::move(context), std::move(transactional_id)));
    TM_ASSIGN_OR_RETURN(writer->values_, MakeRowEncoder(setup.format, setup.schema, setup.format_options,
                                                        {setup.schemas, setup.topic, false, nullptr}));
    if (!setup.key_columns.empty()) {
      TM_ASSIGN_OR_RETURN(writer->keys_, MakeRowEncoder(setup.key_format, writer->KeySchema(), Config()));
    }
    return std::unique_ptr<SinkWriter>(std::move(writer));
  }

  Status Write(Batch batch) override {
    value_bytes_.clear();
    key_bytes_.clear();
    TM_RETURN_IF_ERROR(values_->Encode(batch, value_bytes_, value_ends_));
    if (keys_) TM_RETURN_IF_ERROR(keys_->Encode(batch.WithRows(KeyRows(*batch.rows)), key_bytes_, key_ends_));
    const int64_t now_ms = context_.clock->NowMicros() / 1000;
    for (auto& records : records_) records.clear();
    const int8_t* kinds =
        batch.row_kinds ? static_cast<const arrow::Int8Array&>(*batch.row_kinds).raw_values() : nullptr;
    const bool by_key = kinds != nullptr && keys_ && !setup_.changelog;
    size_t value_start = 0;
    size_t key_start = 0;
    size_t chunk = 0;
    for (size_t i = 0; i < value_ends_.size(); ++i) {
      Record record;
      record.value = std::string_view(value_bytes_).substr(value_start, value_ends_[i] - value_start);
      record.timestamp_ms = now_ms;
      value_start = value_ends_[i];
      int32_t partition = round_robin_;
      if (keys_) {
        record.key = std::string_view(key_bytes_).substr(key_start, key_ends_[i] - key_start);
        key_start = key_ends_[i];
        partition = static_cast<int32_t>(Murmur2Kafka(*record.key) & 0x7fffffff) % setup_.partitions;
      }
      if (by_key) {
        const UpsertAction action = UpsertActionOf(kinds, i, key_bytes_, key_ends_);
        if (action == UpsertAction::kSkip) continue;
        if (action == UpsertAction::kDelete) record.value.reset();
      }
      records_[partition].push_back(record);
      chunk += record.value ? record.value->size() : 0;
      if (chunk >= kChunkBytes) {
        TM_RETURN_IF_ERROR(AppendRecords());
        chunk = 0;
      }
    }
    round_robin_ = (round_robin_ + 1) % setup_.partitions;
    return AppendRecords();
  }

  Result<std::optional<std::string>> Prepare(int64_t) override {
    if (setup_.exactly_once) return PrepareTransaction();
    return AwaitDurable();
  }

 private:
  LogSinkWriter(const LogSinkSetup& setup, SinkContext context, std::string transactional_id)
      : setup_(setup),
        context_(std::move(context)),
        transactional_id_(std::move(transactional_id)),
        records_(setup.partitions),
        round_robin_(context_.subtask % setup.partitions) {}

  Schema KeySchema() const {
    std::vector<Field> fields;
    for (int column : setup_.key_columns) fields.push_back(setup_.schema.field(column));
    return Schema(std::move(fields));
  }

  std::shared_ptr<arrow::RecordBatch> KeyRows(const arrow::RecordBatch& rows) const {
    std::vector<std::shared_ptr<arrow::Array>> columns;
    arrow::FieldVector fields;
    for (int column : setup_.key_columns) {
      columns.push_back(rows.column(column));
      fields.push_back(rows.schema()->field(column));
    }
    return arrow::RecordBatch::Make(arrow::schema(fields), rows.num_rows(), columns);
  }

  Status AppendRecords() {
    for (int32_t partition = 0; partition < setup_.partitions; ++partition) {
      std::vector<Record>& records = records_[partition];
      if (records.empty()) continue;
      if (setup_.exactly_once) {
        if (!transaction_) {
          TM_ASSIGN_OR_RETURN(transaction_, setup_.log->Begin(transactional_id_));
        }
        TM_RETURN_IF_ERROR(transaction_->Append(setup_.topic, partition, records).status());
      } else {
        TM_ASSIGN_OR_RETURN(auto log_partition, setup_.log->partition(setup_.topic, partition));
        TM_ASSIGN_OR_RETURN(const int64_t base, log_partition->Append(records));
        last_offset_[partition] = base + static_cast<int64_t>(records.size()) - 1;
      }
      records.clear();
    }
    return Status::OK();
  }

  Result<std::optional<std::string>> PrepareTransaction() {
    if (!prepared_) {
      if (!transaction_) return std::optional<std::string>("");
      prepared_ = std::make_shared<Answer<PreparedTransaction>>(context_.wake);
      transaction_->Prepare(
          [answer = prepared_](Result<PreparedTransaction> result) { answer->Set(std::move(result)); });
    }
    const auto result = prepared_->Get();
    if (!result) return std::optional<std::string>();
    prepared_.reset();
    transaction_.reset();
    TM_RETURN_IF_ERROR(result->status());
    return std::optional<std::string>((*result)->Serialize());
  }

  Result<std::optional<std::string>> AwaitDurable() {
    for (const auto& [partition, offset] : last_offset_) {
      TM_ASSIGN_OR_RETURN(auto log_partition, setup_.log->partition(setup_.topic, partition));
      auto answer = std::make_shared<Answer<bool>>(context_.wake);
      durable_.push_back(answer);
      log_partition->WhenDurable(offset, [answer](Status status) {
        answer->Set(status.ok() ? Result<bool>(true) : Result<bool>(std::move(status)));
      });
    }
    last_offset_.clear();
    while (!durable_.empty()) {
      const auto result = durable_.back()->Get();
      if (!result) return std::optional<std::string>();
      durable_.pop_back();
      TM_RETURN_IF_ERROR(result->status());
    }
    return std::optional<std::string>("");
  }

  const LogSinkSetup& setup_;
  SinkContext context_;
  const std::string transactional_id_;
  std::unique_ptr<RowEncoder> values_;
  std::unique_ptr<RowEncoder> keys_;
  std::string value_bytes_;
  std::string key_bytes_;
  std::vector<size_t> value_ends_;
  std::vector<size_t> key_ends_;
  std::vector<std::vector<Record>> records_;  // by partition
  int32_t round_robin_;
  std::unique_ptr<Transaction> transaction_;
  std::shared_ptr<Answer<PreparedTransaction>> prepared_;
  std::map<int32_t, int64_t> last_offset_;  // at-least-once: appended since the last barrier
  std::vector<std::shared_ptr<Answer<bool>>> durable_;
};

class LogSink final : public Sink {
 public:
  LogSink(LogSinkSetup setup, std::string id_prefix) : setup_(std::move(setup)), id_prefix_(std::move(id_prefix)) {}

  Result<std::unique_ptr<SinkWriter>> OpenWriter(SinkContext context) override {
    const std::string id = id_prefix_ + std::to_string(context.subtask);
    return LogSinkWriter::Make(setup_, std::move(context), id);
  }

  Status Commit(std::span<const std::string> handles) override {
    for (const std::string& handle : handles) {
      if (handle.empty()) continue;
      TM_ASSIGN_OR_RETURN(const PreparedTransaction transaction, PreparedTransaction::Parse(handle));
      TM_RETURN_IF_ERROR(setup_.log->Commit(transaction));
    }
    return Status::OK();
  }

  Status Recover(std::span<const std::string> handles) override {
    TM_RETURN_IF_ERROR(Commit(handles));
    for (const PreparedTransaction& transaction : setup_.log->PreparedTransactions(id_prefix_)) {
      TM_RETURN_IF_ERROR(setup_.log->Abort(transaction));
    }
    return Status::OK();
  }

 private:
  const LogSinkSetup setup_;
  const std::string id_prefix_;
};

}  // namespace

Result<std::unique_ptr<Sink>> MakeLogSink(const SinkSpec& sink, const ConnectorContext& context) {
  TM_ASSIGN_OR_RETURN(const LogTableOptions options, ParseLogTableOptions(*sink.table));
  LogSinkSetup setup;
  setup.log = context.log;
  setup.topic = options.topics[0];
  if (options.auto_create_sink) TM_RETURN_IF_ERROR(EnsureTopic(*context.log, setup.topic, options.partitions));
  TM_ASSIGN_OR_RETURN(const TopicDescription description, context.log->Describe(setup.topic));
  setup.partitions = static_cast<int32_t>(description.partitions.size());
  setup.exactly_once = options.exactly_once;
  setup.format = options.format;
  setup.changelog = IsChangelogFormat(options.format);
  setup.format_options = options.format_options;
  TM_ASSIGN_OR_RETURN(setup.schemas, OpenSchemaSource(options.format, options.format_options, context));
  setup.key_format = options.key_format;
  setup.schema = PersistedSchema(*sink.table);
  for (int column : options.key_columns) setup.key_columns.push_back(PersistedIndexOf(*sink.table, column));
  return std::unique_ptr<Sink>(new LogSink(std::move(setup), context.job + "/" + sink.table->name + "/"));
}

}  // namespace tidemill
