#include "connect/pubsub/pubsub_source.h"

#include <charconv>

#include <arrow/builder.h>
#include <arrow/record_batch.h>

#include "connect/pubsub/pubsub_lease.h"
#include "connect/record_decoder.h"
#include "connect/record_rows.h"
#include "connect/schema_registry/open_schema_source.h"
#include "data/arrow_status.h"

namespace tidemill {
namespace {

arrow::Status AppendMetadata(const PubsubMessage& message, PubsubMetadata metadata, arrow::ArrayBuilder& builder) {
  switch (metadata) {
    case PubsubMetadata::kMessageId:
      return static_cast<arrow::StringBuilder&>(builder).Append(message.id);
    case PubsubMetadata::kPublishTime:
      return static_cast<arrow::TimestampBuilder&>(builder).Append(message.publish_time_us);
    case PubsubMetadata::kOrderingKey:
      if (message.ordering_key.empty()) return builder.AppendNull();
      return static_cast<arrow::StringBuilder&>(builder).Append(message.ordering_key);
    case PubsubMetadata::kDeliveryAttempt:
      if (message.delivery_attempt == 0) return builder.AppendNull();
      return static_cast<arrow::Int32Builder&>(builder).Append(message.delivery_attempt);
    case PubsubMetadata::kAttributes:
      break;
  }
  auto& map = static_cast<arrow::MapBuilder&>(builder);
  ARROW_RETURN_NOT_OK(map.Append());
  for (const auto& [name, value] : message.attributes) {
    ARROW_RETURN_NOT_OK(static_cast<arrow::StringBuilder&>(*map.key_builder()).Append(name));
    ARROW_RETURN_NOT_OK(static_cast<arrow::StringBuilder&>(*map.item_builder()).Append(value));
  }
  return arrow::Status::OK();
}

// "run/count": counts of another run mean nothing.
std::string PubsubPositionText(int64_t run, int64_t taken) { return std::to_string(run) + "/" + std::to_string(taken); }

class PubsubReader final : public SplitReader {
 public:
  PubsubReader(const RecordLayout& layout, std::unique_ptr<RowDecoder> decoder, std::shared_ptr<PubsubLease> lease,
               int64_t run, SplitContext context, Gauge* lag_seconds)
      : layout_(layout),
        decoder_(std::move(decoder)),
        lease_(std::move(lease)),
        run_(run),
        context_(std::move(context)),
        lag_seconds_(lag_seconds) {}
  ~PubsubReader() override { lease_->Detach(); }

  Result<ReadOutcome> Read(int rows_max) override {
    ReadOutcome outcome;
    TM_RETURN_IF_ERROR(lease_->Take(rows_max, &messages_));
    taken_ += static_cast<int64_t>(messages_.size());
    outcome.position = PubsubPositionText(run_, taken_);
    outcome.idle = messages_.empty();
    if (messages_.empty()) {
      lag_seconds_->Set(0);
      return outcome;
    }
    TM_RETURN_IF_ERROR(Decode(&outcome.batch));
    const int64_t age_us = context_.clock->NowMicros() - messages_.back().publish_time_us;
    lag_seconds_->Set(static_cast<double>(std::max<int64_t>(0, age_us)) / 1e6);
    return outcome;
  }

  std::optional<std::string> StartPosition() const override { return PubsubPositionText(run_, taken_); }

 private:
  Status Decode(Batch* batch) {
    rows_.clear();
    for (size_t i = 0; i < messages_.size(); ++i)
      rows_.push_back({messages_[i].data, taken_ - static_cast<int64_t>(messages_.size() - i)});
    TM_ASSIGN_OR_RETURN(const RowDecoder::Output decoded, decoder_->Decode(rows_, *context_.rejects));
    if (decoded.input_index.empty()) return Status::OK();
    TM_ASSIGN_OR_RETURN(batch->rows, AssembleRecordRows(layout_, decoded, [&](int metadata) {
                          return MetadataArray(static_cast<PubsubMetadata>(metadata), decoded.input_index);
                        }));
    batch->ingest_us = messages_[0].publish_time_us;
    return Status::OK();
  }

  Result<std::shared_ptr<arrow::Array>> MetadataArray(PubsubMetadata metadata,
                                                      const std::vector<int32_t>& message_of_row) const {
    std::unique_ptr<arrow::ArrayBuilder> builder;
    TM_ARROW_RETURN_IF_ERROR(
        arrow::MakeBuilder(arrow::default_memory_pool(), ToArrow(PubsubMetadataType(metadata)), &builder),
        "metadata column");
    for (const int32_t message : message_of_row) {
      TM_ARROW_RETURN_IF_ERROR(AppendMetadata(messages_[static_cast<size_t>(message)], metadata, *builder),
                               "metadata column");
    }
    std::shared_ptr<arrow::Array> array;
    TM_ARROW_RETURN_IF_ERROR(builder->Finish(&array), "metadata column");
    return array;
  }

  const RecordLayout& layout_;
  std::unique_ptr<RowDecoder> decoder_;
  std::shared_ptr<PubsubLease> lease_;
  const int64_t run_;
  SplitContext context_;
  Gauge* const lag_seconds_;
  int64_t taken_ = 0;
  std::vector<PubsubMessage> messages_;
  std::vector<EncodedRow> rows_;
};

class PubsubSource final : public Source {
 public:
  PubsubSource(const ScanSpec& scan, PubsubTableOptions options, std::shared_ptr<PubsubClient> client,
               std::shared_ptr<SchemaSource> schemas, const Clock& clock)
      : options_(std::move(options)),
        layout_(RecordLayout::Make(scan, PubsubMetadataColumns())),
        client_(std::move(client)),
        schemas_(std::move(schemas)),
        clock_(clock),
        run_(clock.NowMicros()) {}

  Result<std::vector<SourceSplit>> Splits() override {
    SourceSplit split;
    split.id = options_.subscription;
    return std::vector<SourceSplit>{std::move(split)};
  }

  Result<std::unique_ptr<SplitReader>> OpenSplit(const SourceSplit&, const std::optional<std::string>&,
                                                 SplitContext context) override {
    TM_ASSIGN_OR_RETURN(auto decoder, MakeRecordDecoder(options_.format, layout_.value_schema, layout_.value_all,
                                                        options_.format_options, {schemas_, "", false, nullptr, {}}));
    decoder->SetOrigin(options_.subscription, 0);
    Gauge* const lag = context.metrics->GetGauge("tidemill_source_lag_seconds",
                                                 "Age of the last record that was read, while there are younger ones.",
                                                 context.labels);
    lease_ = std::make_shared<PubsubLease>(client_, options_, clock_, context.wake);
    return std::unique_ptr<SplitReader>(
        new PubsubReader(layout_, std::move(decoder), lease_, run_, std::move(context), lag));
  }

  bool bounded() const override { return false; }

  void OnEpochCommitted(const std::map<std::string, std::string>& positions) override {
    const auto found = positions.find(options_.subscription);
    const std::string run = std::to_string(run_) + "/";
    if (found == positions.end() || !found->second.starts_with(run) || lease_ == nullptr) return;
    int64_t taken = 0;
    std::from_chars(found->second.data() + run.size(), found->second.data() + found->second.size(), taken);
    lease_->Settle(taken);
  }

 private:
  const PubsubTableOptions options_;
  const RecordLayout layout_;
  const std::shared_ptr<PubsubClient> client_;
  const std::shared_ptr<SchemaSource> schemas_;
  const Clock& clock_;
  const int64_t run_;
  std::shared_ptr<PubsubLease> lease_;  // set before the lanes run
};

}  // namespace

Result<std::unique_ptr<Source>> MakePubsubSource(const ScanSpec& scan, const TableDefinition& table,
                                                 PubsubTableOptions options, const ConnectorContext& context) {
  TM_ASSIGN_OR_RETURN(const PubsubConnection connection, ResolvePubsubConnection(table, *context.files));
  TM_ASSIGN_OR_RETURN(std::shared_ptr<PubsubClient> client, PubsubClient::Connect(connection));
  TM_ASSIGN_OR_RETURN(auto schemas, OpenSchemaSource(options.format, options.format_options, context));
  return std::unique_ptr<Source>(
      new PubsubSource(scan, std::move(options), std::move(client), std::move(schemas), *context.clock));
}

}  // namespace tidemill
