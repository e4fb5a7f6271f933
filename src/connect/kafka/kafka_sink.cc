#include "connect/kafka/kafka_sink.h"

#include <algorithm>
#include <map>
#include <mutex>
#include <optional>

#include <arrow/array.h>
#include <arrow/compute/api.h>
#include <arrow/record_batch.h>

#include "connect/errors.h"
#include "connect/kafka/kafka_columns.h"
#include "connect/kafka/kafka_producer.h"
#include "connect/kafka/kafka_upsert_buffer.h"
#include "connect/persisted_columns.h"
#include "connect/upsert_rows.h"
#include "data/arrow_status.h"
#include "data/format.h"

namespace tidemill {
namespace {

constexpr int64_t kInFlightBytes = 64 << 20;  // of a sink, for all its writers
constexpr int64_t kInFlightBytesMin = 4 << 20;
constexpr size_t kRejectRawMax = 64 << 10;

using HeaderList = std::vector<std::pair<std::string, std::optional<std::string>>>;

// Which of the columns that a writer is given go where; numbers into them.
struct WriteLayout {
  std::vector<int> value;
  std::vector<int> key;
  Schema value_schema;
  Schema key_schema;
  std::map<KafkaMetadata, int> metadata;
};

WriteLayout MakeWriteLayout(const TableDefinition& table, const KafkaTableOptions& options) {
  WriteLayout layout;
  std::vector<Field> value, key;
  for (int column : KafkaValueColumns(table, options)) {
    layout.value.push_back(PersistedIndexOf(table, column));
    value.push_back({table.columns[column].name, table.columns[column].type});
  }
  if (!options.key_format.empty()) {
    for (int column : options.key_columns) {
      layout.key.push_back(PersistedIndexOf(table, column));
      key.push_back(KafkaKeyField(table, options, column));
    }
  }
  for (int i = 0; i < static_cast<int>(table.columns.size()); ++i) {
    const ColumnDefinition& column = table.columns[i];
    if (column.kind != ColumnDefinition::Kind::kMetadata || column.is_virtual) continue;
    layout.metadata[KafkaMetadataOf(column.metadata_key)] = PersistedIndexOf(table, i);
  }
  layout.value_schema = Schema(std::move(value));
  layout.key_schema = Schema(std::move(key));
  return layout;
}

// What all writers of a sink share.
struct KafkaSinkShared {
  std::string table;
  KafkaTableOptions options;
  bool changelog = false;  // the value's format has changes of its own
  KafkaConnection connection;
  WriteLayout layout;
  KafkaSchemas schemas;
  const Clock* clock = nullptr;

  std::vector<int32_t> partitions;  // of each topic, once connected
  std::mutex mutex;
  std::vector<std::weak_ptr<KafkaUpsertBuffer>> buffers;
  std::unique_ptr<KafkaProducer> producer;  // once connected; last: its thread uses the others

  Status Connect();
  void FlushDue() {
    std::lock_guard<std::mutex> lock(mutex);
    for (const auto& weak : buffers) {
      if (const auto buffer = weak.lock()) buffer->FlushIfDue(clock->MonotonicNanos());
    }
  }
};

Status KafkaSinkShared::Connect() {
  if (!partitions.empty()) return Status::OK();
  KafkaProducer::Options made{options.topics, {}};
  if (options.flush_rows > 0) made.tick = [this] { FlushDue(); };
  TM_ASSIGN_OR_RETURN(producer, KafkaProducer::Make(connection, std::move(made)));
  TM_ASSIGN_OR_RETURN(const auto existing, producer->client().Topics());
  std::vector<int32_t> found;
  for (const std::string& topic : options.topics) {
    const auto there = existing.find(topic);
    int32_t count = there == existing.end() ? 0 : there->second;
    if (count == 0) {
      TM_ASSIGN_OR_RETURN(count, producer->client().PartitionsOf(topic));
    }
    if (count == 0) {
      return Status(kKafkaUnknownTopic, "Kafka at " + connection.servers + " has no topic '" + topic +
                                            "' and does not make topics by itself");
    }
    found.push_back(count);
  }
  partitions = std::move(found);
  return Status::OK();
}

// A column cast to what Kafka has for this metadata.
Result<std::shared_ptr<arrow::Array>> CanonicalColumn(const arrow::RecordBatch& rows, int index,
                                                      KafkaMetadata metadata) {
  const auto& column = rows.column(index);
  const auto wanted = ToArrow(KafkaMetadataType(metadata));
  const bool nested = metadata == KafkaMetadata::kHeaders || metadata == KafkaMetadata::kHeaderList;
  if (nested || column->type()->Equals(*wanted)) return column;
  TM_ARROW_ASSIGN_OR_RETURN(const arrow::Datum cast,
                            arrow::compute::Cast(column, arrow::compute::CastOptions::Unsafe(wanted)),
                            "metadata column");
  return cast.make_array();
}

// Names and values of headers lie beside each other, from `from` to `to`. Values are STRING or BYTES.
void AppendHeaders(const arrow::Array& names, const arrow::Array& values, int64_t from, int64_t to, HeaderList* out) {
  const auto& name = static_cast<const arrow::BinaryArray&>(names);
  const auto& value = static_cast<const arrow::BinaryArray&>(values);
  for (int64_t i = from; i < to; ++i) {
    out->emplace_back(name.GetString(i), value.IsNull(i) ? std::nullopt : std::optional(value.GetString(i)));
  }
}

class KafkaSinkWriter final : public SinkWriter {
 public:
  static Result<std::unique_ptr<SinkWriter>> Make(std::shared_ptr<KafkaSinkShared> shared, SinkContext context) {
    std::unique_ptr<KafkaSinkWriter> writer(new KafkaSinkWriter(std::move(shared), std::move(context)));
    const KafkaSinkShared& made = *writer->shared_;
    // Rows for several topics have no subject by their topic's name.
    const std::string topic = made.options.topics.size() == 1 ? made.options.topics[0] : "";
    TM_ASSIGN_OR_RETURN(writer->values_,
                        MakeRowEncoder(made.options.value_format, made.layout.value_schema, made.options.value_options,
                                       {made.schemas.value, topic, false, nullptr}));
    if (!made.layout.key.empty()) {
      TM_ASSIGN_OR_RETURN(writer->keys_,
                          MakeRowEncoder(made.options.key_format, made.layout.key_schema, made.options.key_options,
                                         {made.schemas.key, topic, true, nullptr}));
    }
    return std::unique_ptr<SinkWriter>(std::move(writer));
  }

  Status Write(Batch batch) override {
    TM_RETURN_IF_ERROR(in_flight_->failed());
    TM_RETURN_IF_ERROR(Encode(batch));
    TM_RETURN_IF_ERROR(MakeRecords(batch));
    TM_RETURN_IF_ERROR(AddMetadata(*batch.rows));
    if (buffer_ != nullptr) {
      const int64_t now = context_.clock->MonotonicNanos();
      for (const KafkaOutgoing& record : records_) buffer_->Add(record, now);
      return BufferOutcome();
    }
    TM_RETURN_IF_ERROR(shared_->producer->Send(records_, *in_flight_, &too_large_));
    for (size_t i : too_large_) Reject(RejectReason::kTooLarge, std::string(records_[i].value));
    return Status::OK();
  }

  bool HasRoom() const override { return in_flight_->has_room(); }

  Result<std::optional<std::string>> Prepare(int64_t) override {
    TM_RETURN_IF_ERROR(in_flight_->failed());
    if (buffer_ != nullptr) {
      buffer_->Flush();
      TM_RETURN_IF_ERROR(BufferOutcome());
    }
    if (shared_->options.wait_for_acks && !in_flight_->empty()) return std::optional<std::string>();
    // A failure is noted before its record is counted off.
    TM_RETURN_IF_ERROR(in_flight_->failed());
    return std::optional<std::string>("");
  }

 private:
  KafkaSinkWriter(std::shared_ptr<KafkaSinkShared> shared, SinkContext context)
      : shared_(std::move(shared)), context_(std::move(context)), round_robin_(context_.subtask) {
    const int64_t bytes = std::max(kInFlightBytesMin, kInFlightBytes / std::max(1, context_.parallelism));
    in_flight_ = shared_->producer->NewInFlight(bytes, context_.wake);
    if (shared_->options.flush_rows == 0) return;
    buffer_ = std::make_shared<KafkaUpsertBuffer>(
        shared_->options.flush_rows, shared_->options.flush_interval_ms * 1'000'000, *shared_->producer, *in_flight_);
    std::lock_guard<std::mutex> lock(shared_->mutex);
    shared_->buffers.push_back(buffer_);
  }

  static std::shared_ptr<arrow::RecordBatch> Pick(const arrow::RecordBatch& rows, const std::vector<int>& columns,
                                                  const Schema& schema) {
    std::vector<std::shared_ptr<arrow::Array>> picked;
    for (int column : columns) picked.push_back(rows.column(column));
    return arrow::RecordBatch::Make(schema.arrow(), rows.num_rows(), std::move(picked));
  }

  Status Encode(const Batch& batch) {
    const WriteLayout& layout = shared_->layout;
    value_bytes_.clear();
    key_bytes_.clear();
    TM_RETURN_IF_ERROR(values_->Encode(batch.WithRows(Pick(*batch.rows, layout.value, layout.value_schema)),
                                       value_bytes_, value_ends_));
    if (!keys_) return Status::OK();
    return keys_->Encode(batch.WithRows(Pick(*batch.rows, layout.key, layout.key_schema)), key_bytes_, key_ends_);
  }

  Status MakeRecords(const Batch& batch) {
    const int8_t* kinds =
        batch.row_kinds ? static_cast<const arrow::Int8Array&>(*batch.row_kinds).raw_values() : nullptr;
    records_.clear();
    rows_.clear();
    headers_.clear();
    size_t value_start = 0;
    size_t key_start = 0;
    for (size_t i = 0; i < value_ends_.size(); ++i) {
      KafkaOutgoing record;
      record.value = std::string_view(value_bytes_).substr(value_start, value_ends_[i] - value_start);
      value_start = value_ends_[i];
      if (keys_) {
        record.has_key = true;
        record.key = std::string_view(key_bytes_).substr(key_start, key_ends_[i] - key_start);
        key_start = key_ends_[i];
      }
      const auto kind = kinds ? static_cast<RowKind>(kinds[i]) : RowKind::kInsert;
      if (kind != RowKind::kInsert && !shared_->options.upsert && !shared_->changelog) {
        return Status(kChangelogMismatch, "'" + shared_->table +
                                              "': a 'kafka' table takes only new rows, the query updates rows it has "
                                              "given before; use 'upsert-kafka'");
      }
      const UpsertAction action =
          shared_->options.upsert ? UpsertActionOf(kinds, i, key_bytes_, key_ends_) : UpsertAction::kWrite;
      if (action == UpsertAction::kSkip) continue;
      if (action == UpsertAction::kDelete) {
        record.has_value = false;
        record.value = {};
      }
      record.partition = PartitionFor(0);
      records_.push_back(record);
      rows_.push_back(static_cast<int32_t>(i));
    }
    return Status::OK();
  }

  int32_t PartitionFor(int32_t topic) {
    const int32_t count = shared_->partitions[topic];
    switch (shared_->options.partitioner) {
      case KafkaTableOptions::Partitioner::kFixed:
        return context_.subtask % count;
      case KafkaTableOptions::Partitioner::kRoundRobin:
        return static_cast<int32_t>(round_robin_++ % count);
      case KafkaTableOptions::Partitioner::kDefault:
        break;
    }
    return KafkaOutgoing::kAnyPartition;
  }

  Status AddMetadata(const arrow::RecordBatch& rows) {
    for (const auto& [metadata, index] : shared_->layout.metadata) {
      TM_ASSIGN_OR_RETURN(const auto column, CanonicalColumn(rows, index, metadata));
      if (metadata == KafkaMetadata::kTopic) {
        AddTopics(static_cast<const arrow::StringArray&>(*column));
      } else if (metadata == KafkaMetadata::kPartition) {
        AddPartitions(static_cast<const arrow::Int32Array&>(*column));
      } else if (metadata == KafkaMetadata::kTimestamp) {
        const auto& times = static_cast<const arrow::TimestampArray&>(*column);
        for (size_t i = 0; i < records_.size(); ++i) {
          if (times.IsValid(rows_[i])) records_[i].timestamp_ms = times.Value(rows_[i]);
        }
      } else {
        AddHeaderColumn(metadata, *column);
      }
    }
    return Status::OK();
  }

  // Keeps the records for which `good(i)` holds.
  template <typename Good>
  void Keep(Good good) {
    size_t kept = 0;
    for (size_t i = 0; i < records_.size(); ++i) {
      if (!good(i)) continue;
      records_[kept] = records_[i];
      rows_[kept++] = rows_[i];
    }
    records_.resize(kept);
    rows_.resize(kept);
  }

  void AddTopics(const arrow::StringArray& topics) {
    const std::vector<std::string>& names = shared_->options.topics;
    Keep([&](size_t i) {
      const std::string_view name = topics.IsNull(rows_[i]) ? std::string_view() : topics.GetView(rows_[i]);
      const auto found = std::find(names.begin(), names.end(), name);
      if (found == names.end()) {
        Reject(RejectReason::kOutOfRange, std::string(records_[i].value), "topic",
               "'" + std::string(name) + "' is not one of the table's topics");
        return false;
      }
      records_[i].topic = static_cast<int32_t>(found - names.begin());
      records_[i].partition = PartitionFor(records_[i].topic);
      return true;
    });
  }

  void AddPartitions(const arrow::Int32Array& partitions) {
    Keep([&](size_t i) {
      if (partitions.IsNull(rows_[i])) return true;
      const int32_t partition = partitions.Value(rows_[i]);
      if (partition < 0 || partition >= shared_->partitions[records_[i].topic]) {
        Reject(RejectReason::kOutOfRange, std::string(records_[i].value), "partition",
               "the topic has no partition " + std::to_string(partition));
        return false;
      }
      records_[i].partition = partition;
      return true;
    });
  }

  void AddHeaderColumn(KafkaMetadata metadata, const arrow::Array& column) {
    headers_.reserve(records_.size());  // records point into it
    for (size_t i = 0; i < records_.size(); ++i) {
      if (column.IsNull(rows_[i])) continue;
      HeaderList headers;
      if (metadata == KafkaMetadata::kHeaders) {
        const auto& map = static_cast<const arrow::MapArray&>(column);
        AppendHeaders(*map.keys(), *map.items(), map.value_offset(rows_[i]), map.value_offset(rows_[i] + 1), &headers);
      } else {
        const auto& list = static_cast<const arrow::ListArray&>(column);
        const auto& entries = static_cast<const arrow::StructArray&>(*list.values());
        AppendHeaders(*entries.field(0), *entries.field(1), list.value_offset(rows_[i]),
                      list.value_offset(rows_[i] + 1), &headers);
      }
      headers_.push_back(std::move(headers));
      records_[i].headers = headers_.back();
    }
  }

  Status BufferOutcome() {
    std::vector<std::string> too_large;
    TM_RETURN_IF_ERROR(buffer_->TakeOutcome(&too_large));
    for (std::string& value : too_large) Reject(RejectReason::kTooLarge, std::move(value));
    return Status::OK();
  }

  void Reject(RejectReason reason, std::string value, std::string field = "",
              std::string detail = "the record is larger than 'properties.max.request.size'") {
    value.resize(std::min(value.size(), kRejectRawMax));
    context_.rejects->Reject({.reason = reason,
                              .source = context_.sink_name,
                              .field = std::move(field),
                              .detail = std::move(detail),
                              .raw = std::move(value)});
  }

  std::shared_ptr<KafkaSinkShared> shared_;
  SinkContext context_;
  std::shared_ptr<KafkaInFlight> in_flight_;
  std::shared_ptr<KafkaUpsertBuffer> buffer_;  // only with 'sink.buffer-flush.*'
  std::unique_ptr<RowEncoder> values_;
  std::unique_ptr<RowEncoder> keys_;
  std::string value_bytes_;
  std::string key_bytes_;
  std::vector<size_t> value_ends_;
  std::vector<size_t> key_ends_;
  std::vector<KafkaOutgoing> records_;
  std::vector<int32_t> rows_;  // row of the batch for each record
  std::vector<HeaderList> headers_;
  std::vector<size_t> too_large_;
  int64_t round_robin_;
};

class KafkaSink final : public Sink {
 public:
  explicit KafkaSink(std::shared_ptr<KafkaSinkShared> shared) : shared_(std::move(shared)) {}

  Result<std::unique_ptr<SinkWriter>> OpenWriter(SinkContext context) override {
    TM_RETURN_IF_ERROR(shared_->Connect());
    return KafkaSinkWriter::Make(shared_, std::move(context));
  }
  Status Commit(std::span<const std::string>) override { return Status::OK(); }
  Status Recover(std::span<const std::string>) override { return shared_->Connect(); }

 private:
  std::shared_ptr<KafkaSinkShared> shared_;
};

}  // namespace

Result<std::unique_ptr<Sink>> MakeKafkaSink(const SinkSpec& sink, KafkaTableOptions options,
                                            const ConnectorContext& context) {
  auto shared = std::make_shared<KafkaSinkShared>();
  TM_ASSIGN_OR_RETURN(KafkaProperties properties, ResolveKafkaProperties(*sink.table, *context.files));
  shared->table = sink.table->name;
  shared->connection = std::move(properties.connection);
  shared->connection.group_id.clear();
  shared->layout = MakeWriteLayout(*sink.table, options);
  TM_ASSIGN_OR_RETURN(shared->schemas, OpenKafkaSchemas(options, context));
  shared->changelog = IsChangelogFormat(options.value_format);
  shared->options = std::move(options);
  shared->clock = context.clock;
  return std::unique_ptr<Sink>(new KafkaSink(std::move(shared)));
}

}  // namespace tidemill
