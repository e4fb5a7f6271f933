#include "connect/kinesis/kinesis_sink.h"

#include <algorithm>
#include <optional>

#include <arrow/array.h>
#include <arrow/record_batch.h>

#include "base/errors.h"
#include "base/random.h"
#include "connect/errors.h"
#include "connect/kinesis/record_putter.h"
#include "connect/persisted_columns.h"
#include "connect/schema_registry/open_schema_source.h"
#include "data/format.h"

namespace tidemill {
namespace {

constexpr int64_t kPutBytes = 64 << 20;  // of a sink, for all its writers
constexpr int64_t kPutBytesMin = 4 << 20;
constexpr size_t kPartitionKeyMax = 256;
constexpr size_t kPutRejectRawMax = 64 << 10;

struct KinesisSinkShared {
  std::string table;
  KinesisTableOptions options;
  Schema schema;
  std::vector<int> key_columns;  // numbers into `schema`
  std::shared_ptr<SchemaSource> schemas;
  std::shared_ptr<KinesisClient> client;
};

class KinesisSinkWriter final : public SinkWriter {
 public:
  static Result<std::unique_ptr<SinkWriter>> Make(std::shared_ptr<KinesisSinkShared> shared, SinkContext context) {
    std::unique_ptr<KinesisSinkWriter> writer(new KinesisSinkWriter(std::move(shared), std::move(context)));
    const KinesisSinkShared& made = *writer->shared_;
    TM_ASSIGN_OR_RETURN(writer->values_, MakeRowEncoder(made.options.format, made.schema, made.options.format_options,
                                                        {made.schemas, made.options.stream, false, nullptr}));
    if (made.options.partitioner == KinesisPartitioner::kFields) {
      std::vector<Field> fields;
      for (const int column : made.key_columns) fields.push_back(made.schema.field(column));
      writer->key_schema_ = Schema(std::move(fields));
      TM_ASSIGN_OR_RETURN(writer->keys_,
                          MakeRowEncoder("csv", writer->key_schema_,
                                         Config({{"field-delimiter", std::string(1, made.options.key_delimiter)}})));
    }
    return std::unique_ptr<SinkWriter>(std::move(writer));
  }

  Status Write(Batch batch) override {
    TM_RETURN_IF_ERROR(putter_->failed());
    if (batch.row_kinds != nullptr) {
      for (int64_t i = 0; i < batch.num_rows(); ++i) {
        if (static_cast<const arrow::Int8Array&>(*batch.row_kinds).Value(i) == static_cast<int8_t>(RowKind::kInsert))
          continue;
        return Status(kChangelogMismatch, "'" + shared_->table +
                                              "': a 'kinesis' table takes only new rows, the query updates rows it has "
                                              "given before");
      }
    }
    bytes_.clear();
    TM_RETURN_IF_ERROR(values_->Encode(batch, bytes_, ends_));
    if (keys_) {
      std::vector<std::shared_ptr<arrow::Array>> columns;
      for (const int column : shared_->key_columns) columns.push_back(batch.rows->column(column));
      key_bytes_.clear();
      TM_RETURN_IF_ERROR(keys_->Encode(
          batch.WithRows(arrow::RecordBatch::Make(key_schema_.arrow(), batch.num_rows(), std::move(columns))),
          key_bytes_, key_ends_));
    }
    std::vector<KinesisOutgoing> records;
    records.reserve(ends_.size());
    size_t from = 0;
    for (size_t row = 0; row < ends_.size(); ++row) {
      KinesisOutgoing record{bytes_.substr(from, ends_[row] - from), PartitionKey(row)};
      from = ends_[row];
      if (record.data.size() + record.partition_key.size() > RecordPutter::kRecordBytesMax) {
        record.data.resize(std::min(record.data.size(), kPutRejectRawMax));
        context_.rejects->Reject({.reason = RejectReason::kTooLarge,
                                  .source = context_.sink_name,
                                  .detail = "a record of Kinesis has at most 1 MiB with its partition key",
                                  .raw = std::move(record.data)});
        continue;
      }
      records.push_back(std::move(record));
    }
    putter_->Add(std::move(records));
    return Status::OK();
  }

  bool HasRoom() const override { return putter_->has_room(); }

  Result<std::optional<std::string>> Prepare(int64_t) override {
    TM_RETURN_IF_ERROR(putter_->failed());
    if (putter_->empty()) return std::optional<std::string>("");
    return std::optional<std::string>();
  }

 private:
  KinesisSinkWriter(std::shared_ptr<KinesisSinkShared> shared, SinkContext context)
      : shared_(std::move(shared)),
        context_(std::move(context)),
        random_(static_cast<uint64_t>(context_.clock->NowMicros()) + static_cast<uint64_t>(context_.subtask)) {
    const int64_t bytes = std::max(kPutBytesMin, kPutBytes / std::max(1, context_.parallelism));
    putter_ = std::make_unique<RecordPutter>(shared_->client, bytes, context_.wake);
  }

  std::string PartitionKey(size_t row) {
    if (shared_->options.partitioner == KinesisPartitioner::kRandom) return std::to_string(random_.Next());
    if (!keys_) return std::to_string(context_.subtask);
    const size_t from = row == 0 ? 0 : key_ends_[row - 1];
    size_t size = key_ends_[row] - from;
    if (size > kPartitionKeyMax) {
      size = kPartitionKeyMax;
      // Not in the middle of a character.
      while (size > 0 && (static_cast<unsigned char>(key_bytes_[from + size]) & 0xC0) == 0x80) --size;
    }
    const std::string key = key_bytes_.substr(from, size);
    return key.empty() ? "-" : key;  // Kinesis takes no empty one
  }

  std::shared_ptr<KinesisSinkShared> shared_;
  SinkContext context_;
  std::unique_ptr<RowEncoder> values_;
  std::unique_ptr<RowEncoder> keys_;
  Schema key_schema_;
  std::string bytes_;
  std::string key_bytes_;
  std::vector<size_t> ends_;
  std::vector<size_t> key_ends_;
  Random random_;
  std::unique_ptr<RecordPutter> putter_;  // last: its thread calls `wake`
};

class KinesisSink final : public Sink {
 public:
  explicit KinesisSink(std::shared_ptr<KinesisSinkShared> shared) : shared_(std::move(shared)) {}

  Result<std::unique_ptr<SinkWriter>> OpenWriter(SinkContext context) override {
    TM_RETURN_IF_ERROR(TryOnce());
    return KinesisSinkWriter::Make(shared_, std::move(context));
  }
  Status Commit(std::span<const std::string>) override { return Status::OK(); }
  Status Recover(std::span<const std::string>) override { return TryOnce(); }

 private:
  // What is wrong with the login, the stream or the network shows when a job starts.
  Status TryOnce() {
    if (tried_) return Status::OK();
    const Status status = shared_->client->ListShards(std::make_shared<WaitStop>()).status();
    // A writer may lack the right to list.
    if (!status.ok() && !status.Is(kKinesisNotAllowed)) return status;
    tried_ = true;
    return Status::OK();
  }

  std::shared_ptr<KinesisSinkShared> shared_;
  bool tried_ = false;
};

}  // namespace

Result<std::unique_ptr<Sink>> MakeKinesisSink(const SinkSpec& sink, KinesisTableOptions options,
                                              const ConnectorContext& context) {
  if (context.network == nullptr) return Status(kInvalidConfig, "'kinesis' needs a network");
  auto shared = std::make_shared<KinesisSinkShared>();
  TM_ASSIGN_OR_RETURN(AwsCredentials credentials, ResolveAwsCredentials(*sink.table, *context.files));
  shared->table = sink.table->name;
  shared->schema = PersistedSchema(*sink.table);
  for (const int column : options.key_columns) shared->key_columns.push_back(PersistedIndexOf(*sink.table, column));
  TM_ASSIGN_OR_RETURN(shared->schemas, OpenSchemaSource(options.format, options.format_options, context));
  shared->client = std::make_shared<KinesisClient>(*context.network, *context.clock, options, std::move(credentials));
  shared->options = std::move(options);
  return std::unique_ptr<Sink>(new KinesisSink(std::move(shared)));
}

}  // namespace tidemill
