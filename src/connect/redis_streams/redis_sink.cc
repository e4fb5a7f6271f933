#include "connect/redis_streams/redis_sink.h"

#include <algorithm>

#include <arrow/array.h>
#include <arrow/record_batch.h>

#include "base/errors.h"
#include "base/murmur.h"
#include "connect/errors.h"
#include "connect/persisted_columns.h"
#include "connect/redis_streams/redis_rows.h"
#include "connect/redis_streams/stream_appender.h"
#include "connect/schema_registry/open_schema_source.h"

namespace tidemill {
namespace {

constexpr int64_t kOnTheWayBytes = 64 << 20;  // of a sink, for all its writers
constexpr int64_t kOnTheWayBytesMin = 4 << 20;
constexpr size_t kEntryBytesMax = 64 << 20;
constexpr size_t kRejectedRawMax = 64 << 10;

struct RedisSinkShared {
  std::string table;
  RedisTableOptions options;
  RedisEndpoint endpoint;
  Schema schema;
  std::vector<int> key_columns;  // numbers into `schema`
  std::shared_ptr<SchemaSource> schemas;
  Network* network = nullptr;
  std::vector<std::string> prefixes;  // of each stream's XADD: all words before the fields
  size_t prefix_words = 0;
};

// XADD stream [MAXLEN [~] n] *
void MakePrefixes(RedisSinkShared* shared) {
  for (const std::string& stream : shared->options.streams) {
    std::vector<std::string> words{"XADD", stream};
    if (shared->options.length_max > 0) {
      words.emplace_back("MAXLEN");
      if (!shared->options.length_exact) words.emplace_back("~");
      words.push_back(std::to_string(shared->options.length_max));
    }
    words.emplace_back("*");
    std::string prefix;
    for (const std::string& word : words) AppendRespBulk(word, &prefix);
    shared->prefixes.push_back(std::move(prefix));
    shared->prefix_words = words.size();
  }
}

class RedisSinkWriter final : public SinkWriter {
 public:
  static Result<std::unique_ptr<SinkWriter>> Make(std::shared_ptr<RedisSinkShared> shared, SinkContext context) {
    std::unique_ptr<RedisSinkWriter> writer(new RedisSinkWriter(std::move(shared), std::move(context)));
    const RedisSinkShared& made = *writer->shared_;
    TM_ASSIGN_OR_RETURN(writer->rows_, RedisRowEncoder::Make(made.schema, made.options, made.schemas));
    if (!made.key_columns.empty() && made.prefixes.size() > 1) {
      std::vector<Field> fields;
      for (const int column : made.key_columns) fields.push_back(made.schema.field(column));
      writer->key_schema_ = Schema(std::move(fields));
      TM_ASSIGN_OR_RETURN(writer->keys_, MakeRowEncoder("csv", writer->key_schema_, Config()));
    }
    return std::unique_ptr<SinkWriter>(std::move(writer));
  }

  Status Write(Batch batch) override {
    TM_RETURN_IF_ERROR(appender_->failed());
    if (batch.row_kinds != nullptr) {
      for (int64_t i = 0; i < batch.num_rows(); ++i) {
        if (static_cast<const arrow::Int8Array&>(*batch.row_kinds).Value(i) == static_cast<int8_t>(RowKind::kInsert))
          continue;
        return Status(kChangelogMismatch, "'" + shared_->table +
                                              "': a 'redis-streams' table takes only new rows, the query updates rows "
                                              "it has given before");
      }
    }
    if (keys_) {
      std::vector<std::shared_ptr<arrow::Array>> columns;
      for (const int column : shared_->key_columns) columns.push_back(batch.rows->column(column));
      key_bytes_.clear();
      TM_RETURN_IF_ERROR(keys_->Encode(
          batch.WithRows(arrow::RecordBatch::Make(key_schema_.arrow(), batch.num_rows(), std::move(columns))),
          key_bytes_, key_ends_));
    }
    CommandBlock block;
    size_t row = 0;
    TM_RETURN_IF_ERROR(rows_->Encode(batch, [&](size_t words, std::string_view fields) {
      const size_t stream = StreamOf(row++);
      if (words == 0) return Reject(RejectReason::kNotNull, "an entry needs a field: all columns are NULL", {});
      if (fields.size() > kEntryBytesMax)
        return Reject(RejectReason::kTooLarge, "an entry has more than 64 MiB", fields);
      AppendRespArrayHeader(shared_->prefix_words + words, &block.bytes);
      block.bytes += shared_->prefixes[stream];
      block.bytes += fields;
      block.ends.push_back(block.bytes.size());
    }));
    appender_->Add(std::move(block));
    return Status::OK();
  }

  bool HasRoom() const override { return appender_->has_room(); }

  Result<std::optional<std::string>> Prepare(int64_t) override {
    TM_RETURN_IF_ERROR(appender_->failed());
    if (shared_->options.wait_for_acks && !appender_->empty()) {
      // A failure is noted before its writer is woken.
      TM_RETURN_IF_ERROR(appender_->failed());
      return std::optional<std::string>();
    }
    return std::optional<std::string>("");
  }

 private:
  RedisSinkWriter(std::shared_ptr<RedisSinkShared> shared, SinkContext context)
      : shared_(std::move(shared)), context_(std::move(context)), round_robin_(static_cast<size_t>(context_.subtask)) {
    const int64_t bytes = std::max(kOnTheWayBytesMin, kOnTheWayBytes / std::max(1, context_.parallelism));
    appender_ = std::make_unique<StreamAppender>(*shared_->network, shared_->endpoint, bytes, context_.wake);
  }

  size_t StreamOf(size_t row) {
    const size_t count = shared_->prefixes.size();
    if (count == 1) return 0;
    if (shared_->options.partitioner == RedisPartitioner::kFixed) return static_cast<size_t>(context_.subtask) % count;
    if (keys_ == nullptr || shared_->options.partitioner == RedisPartitioner::kRoundRobin)
      return round_robin_++ % count;
    const size_t from = row == 0 ? 0 : key_ends_[row - 1];
    return (Murmur2Kafka(std::string_view(key_bytes_).substr(from, key_ends_[row] - from)) & 0x7fffffffU) % count;
  }

  void Reject(RejectReason reason, std::string detail, std::string_view raw) {
    context_.rejects->Reject({.reason = reason,
                              .source = context_.sink_name,
                              .detail = std::move(detail),
                              .raw = std::string(raw.substr(0, kRejectedRawMax))});
  }

  std::shared_ptr<RedisSinkShared> shared_;
  SinkContext context_;
  std::unique_ptr<RedisRowEncoder> rows_;
  std::unique_ptr<RowEncoder> keys_;
  Schema key_schema_;
  std::string key_bytes_;
  std::vector<size_t> key_ends_;
  size_t round_robin_;
  std::unique_ptr<StreamAppender> appender_;  // last: its thread calls `wake`
};

class RedisSink final : public Sink {
 public:
  explicit RedisSink(std::shared_ptr<RedisSinkShared> shared) : shared_(std::move(shared)) {}

  Result<std::unique_ptr<SinkWriter>> OpenWriter(SinkContext context) override {
    TM_RETURN_IF_ERROR(TryOnce());
    return RedisSinkWriter::Make(shared_, std::move(context));
  }
  Status Commit(std::span<const std::string>) override { return Status::OK(); }
  Status Recover(std::span<const std::string>) override { return TryOnce(); }

 private:
  // A server that can't be reached when a job starts is an error; one that goes away later is waited for.
  Status TryOnce() {
    if (tried_) return Status::OK();
    TM_RETURN_IF_ERROR(
        RedisClient::Connect(*shared_->network, shared_->endpoint, std::make_shared<const CancelSignal>()).status());
    tried_ = true;
    return Status::OK();
  }

  std::shared_ptr<RedisSinkShared> shared_;
  bool tried_ = false;
};

}  // namespace

Result<std::unique_ptr<Sink>> MakeRedisSink(const SinkSpec& sink, RedisTableOptions options,
                                            const ConnectorContext& context) {
  if (context.network == nullptr) return Status(kInvalidConfig, "'redis-streams' needs a network");
  auto shared = std::make_shared<RedisSinkShared>();
  TM_ASSIGN_OR_RETURN(shared->endpoint, ResolveRedisEndpoint(*sink.table, *context.files));
  shared->endpoint.timeout_ms = options.timeout_ms;
  shared->table = sink.table->name;
  shared->schema = PersistedSchema(*sink.table);
  for (const int column : sink.table->primary_key) shared->key_columns.push_back(PersistedIndexOf(*sink.table, column));
  TM_ASSIGN_OR_RETURN(shared->schemas, OpenSchemaSource(options.format, options.format_options, context));
  shared->options = std::move(options);
  shared->network = context.network;
  MakePrefixes(shared.get());
  return std::unique_ptr<Sink>(new RedisSink(std::move(shared)));
}

}  // namespace tidemill
