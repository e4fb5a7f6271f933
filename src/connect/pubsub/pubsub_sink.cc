#include "connect/pubsub/pubsub_sink.h"

#include <algorithm>

#include <arrow/array.h>
#include <arrow/record_batch.h>

#include "connect/errors.h"
#include "connect/persisted_columns.h"
#include "connect/pubsub/pubsub_publisher.h"
#include "connect/schema_registry/open_schema_source.h"
#include "data/format.h"

namespace tidemill {
namespace {

constexpr int64_t kPubsubQueueBytes = 64 << 20;  // of a sink, for all its writers
constexpr int64_t kPubsubQueueBytesMin = 4 << 20;
constexpr size_t kPubsubRejectRawMax = 64 << 10;
constexpr size_t kPubsubKeyBytesMax = 1024;

// Which of the columns that a writer is given go where; numbers into them, -1 = none.
struct PubsubWriteLayout {
  std::vector<int> value;
  Schema value_schema;
  int attributes = -1;
  int ordering_key = -1;
};

PubsubWriteLayout MakePubsubWriteLayout(const TableDefinition& table) {
  PubsubWriteLayout layout;
  std::vector<Field> value;
  for (int i = 0; i < static_cast<int>(table.columns.size()); ++i) {
    const ColumnDefinition& column = table.columns[static_cast<size_t>(i)];
    if (column.kind == ColumnDefinition::Kind::kPhysical) {
      layout.value.push_back(PersistedIndexOf(table, i));
      value.push_back({column.name, column.type});
    } else if (column.kind == ColumnDefinition::Kind::kMetadata && !column.is_virtual) {
      const bool is_key = PubsubMetadataOf(column.metadata_key) == PubsubMetadata::kOrderingKey;
      (is_key ? layout.ordering_key : layout.attributes) = PersistedIndexOf(table, i);
    }
  }
  layout.value_schema = Schema(std::move(value));
  return layout;
}

struct PubsubSinkShared {
  std::string table;
  PubsubTableOptions options;
  PubsubWriteLayout layout;
  std::shared_ptr<PubsubClient> client;
  std::shared_ptr<SchemaSource> schemas;
  const Clock* clock = nullptr;
};

class PubsubSinkWriter final : public SinkWriter {
 public:
  static Result<std::unique_ptr<SinkWriter>> Make(std::shared_ptr<const PubsubSinkShared> shared, SinkContext context) {
    std::unique_ptr<PubsubSinkWriter> writer(new PubsubSinkWriter(std::move(shared), std::move(context)));
    const PubsubSinkShared& made = *writer->shared_;
    // Subjects are named by the topic, without its project.
    const std::string topic = made.options.topic.substr(made.options.topic.rfind('/') + 1);
    TM_ASSIGN_OR_RETURN(writer->values_,
                        MakeRowEncoder(made.options.format, made.layout.value_schema, made.options.format_options,
                                       {made.schemas, topic, false, nullptr, {}}));
    return std::unique_ptr<SinkWriter>(std::move(writer));
  }

  Status Write(Batch batch) override {
    TM_RETURN_IF_ERROR(publisher_->failed());
    TM_RETURN_IF_ERROR(CheckKinds(batch));
    std::vector<std::shared_ptr<arrow::Array>> picked;
    for (int column : shared_->layout.value) picked.push_back(batch.rows->column(column));
    bytes_.clear();
    TM_RETURN_IF_ERROR(values_->Encode(
        batch.WithRows(arrow::RecordBatch::Make(shared_->layout.value_schema.arrow(), batch.num_rows(), picked)),
        bytes_, ends_));
    std::vector<PubsubMessage> messages;
    size_t begin = 0;
    for (size_t row = 0; row < ends_.size(); ++row) {
      PubsubMessage message;
      message.data = bytes_.substr(begin, ends_[row] - begin);
      begin = ends_[row];
      AddMetadata(*batch.rows, static_cast<int64_t>(row), message);
      if (IsTaken(message)) messages.push_back(std::move(message));
    }
    publisher_->Send(std::move(messages));
    return Status::OK();
  }

  bool HasRoom() const override { return publisher_->HasRoom(); }

  Result<std::optional<std::string>> Prepare(int64_t) override {
    const bool done = publisher_->empty();
    TM_RETURN_IF_ERROR(publisher_->failed());
    return done ? std::optional<std::string>("") : std::nullopt;
  }

 private:
  PubsubSinkWriter(std::shared_ptr<const PubsubSinkShared> shared, SinkContext context)
      : shared_(std::move(shared)), context_(std::move(context)) {
    const int64_t bytes = std::max(kPubsubQueueBytesMin, kPubsubQueueBytes / std::max(1, context_.parallelism));
    publisher_ =
        std::make_unique<PubsubPublisher>(shared_->client, shared_->options.topic, shared_->options.retry_timeout_ms,
                                          bytes, *shared_->clock, context_.wake);
  }

  Status CheckKinds(const Batch& batch) const {
    if (!batch.row_kinds) return Status::OK();
    const auto& kinds = static_cast<const arrow::Int8Array&>(*batch.row_kinds);
    for (int64_t i = 0; i < kinds.length(); ++i) {
      if (static_cast<RowKind>(kinds.Value(i)) == RowKind::kInsert) continue;
      return Status(kChangelogMismatch, "'" + shared_->table +
                                            "': a 'pubsub' table takes only new rows, the query updates rows it has "
                                            "given before");
    }
    return Status::OK();
  }

  void AddMetadata(const arrow::RecordBatch& rows, int64_t row, PubsubMessage& message) const {
    if (shared_->layout.ordering_key >= 0) {
      const auto& keys = static_cast<const arrow::StringArray&>(*rows.column(shared_->layout.ordering_key));
      if (keys.IsValid(row)) message.ordering_key = keys.GetString(row);
    }
    if (shared_->layout.attributes < 0) return;
    const auto& maps = static_cast<const arrow::MapArray&>(*rows.column(shared_->layout.attributes));
    if (maps.IsNull(row)) return;
    const auto& names = static_cast<const arrow::StringArray&>(*maps.keys());
    const auto& values = static_cast<const arrow::StringArray&>(*maps.items());
    for (int64_t i = maps.value_offset(row); i < maps.value_offset(row + 1); ++i) {
      if (values.IsValid(i)) message.attributes.emplace_back(names.GetString(i), values.GetString(i));
    }
  }

  bool IsTaken(const PubsubMessage& message) {
    std::string_view why;
    if (message.bytes() > PubsubPublisher::kMessageBytesMax) why = "the message is larger than 10 MB";
    if (message.data.empty() && message.attributes.empty())
      why = "Pub/Sub takes no message without data and attributes";
    if (message.ordering_key.size() > kPubsubKeyBytesMax) why = "the ordering key is longer than 1024 bytes";
    if (message.attributes.size() > 100) why = "the message has more than 100 attributes";
    for (const auto& [name, value] : message.attributes) {
      if (name.empty() || name.size() > 256 || value.size() > 1024)
        why = "names of attributes have 1 to 256 bytes, their values at most 1024";
    }
    if (why.empty()) return true;
    context_.rejects->Reject({.reason = RejectReason::kTooLarge,
                              .source = context_.sink_name,
                              .detail = std::string(why),
                              .raw = message.data.substr(0, kPubsubRejectRawMax)});
    return false;
  }

  const std::shared_ptr<const PubsubSinkShared> shared_;
  const SinkContext context_;
  std::unique_ptr<RowEncoder> values_;
  std::string bytes_;
  std::vector<size_t> ends_;
  std::unique_ptr<PubsubPublisher> publisher_;
};

class PubsubSink final : public Sink {
 public:
  explicit PubsubSink(std::shared_ptr<const PubsubSinkShared> shared) : shared_(std::move(shared)) {}
  Result<std::unique_ptr<SinkWriter>> OpenWriter(SinkContext context) override {
    return PubsubSinkWriter::Make(shared_, std::move(context));
  }
  Status Commit(std::span<const std::string>) override { return Status::OK(); }
  Status Recover(std::span<const std::string>) override { return Status::OK(); }

 private:
  const std::shared_ptr<const PubsubSinkShared> shared_;
};

}  // namespace

Result<std::unique_ptr<Sink>> MakePubsubSink(const SinkSpec& sink, PubsubTableOptions options,
                                             const ConnectorContext& context) {
  auto shared = std::make_shared<PubsubSinkShared>();
  TM_ASSIGN_OR_RETURN(const PubsubConnection connection, ResolvePubsubConnection(*sink.table, *context.files));
  TM_ASSIGN_OR_RETURN(shared->client, PubsubClient::Connect(connection));
  TM_ASSIGN_OR_RETURN(shared->schemas, OpenSchemaSource(options.format, options.format_options, context));
  shared->table = sink.table->name;
  shared->layout = MakePubsubWriteLayout(*sink.table);
  shared->options = std::move(options);
  shared->clock = context.clock;
  return std::unique_ptr<Sink>(new PubsubSink(std::move(shared)));
}

}  // namespace tidemill
