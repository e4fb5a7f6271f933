#include "connect/tidemill_log/log_source.h"

#include "connect/errors.h"
#include "connect/offset_position.h"
#include "connect/record_decoder.h"
#include "connect/schema_registry/open_schema_source.h"
#include "connect/tidemill_log/log_options.h"
#include "data/arrow_status.h"
#include "data/format.h"
#include "log/errors.h"
#include "log/log.h"

namespace tidemill {
namespace {

enum class Metadata : uint8_t { kTopic, kPartition, kOffset, kTimestamp };

// What a reader delivers: the decoder's columns and metadata columns, put into the order of the read schema.
struct ReadLayout {
  struct Column {
    bool is_metadata = false;
    bool of_format = false;  // the format's metadata, in `decoded`
    int decoded = -1;        // column of the decoder's output
    Metadata metadata = Metadata::kTopic;
    DataType type;
  };
  Schema read_schema;
  Schema physical_schema;                  // what a record holds
  Schema decoded_schema;                   // of that, what is read, and the format's metadata
  std::vector<std::string> metadata_keys;  // FormatContext::metadata_keys
  int rows_per_record = 1;
  std::vector<Column> columns;
};

ReadLayout MakeLayout(const ScanSpec& scan, const std::string& format) {
  ReadLayout layout;
  if (IsChangelogFormat(format)) layout.rows_per_record = 2;
  layout.read_schema = SourceReadSchema(scan);
  layout.physical_schema = scan.table->physical_schema();
  std::vector<Field> decoded;
  for (int number : SourceReadColumns(scan)) {
    const ColumnDefinition& column = scan.table->columns[number];
    ReadLayout::Column out;
    out.type = column.type;
    if (auto of_format = FormatMetadataOf(format, column.metadata_key);
        of_format && column.kind == ColumnDefinition::Kind::kMetadata) {
      out.of_format = true;
      out.decoded = static_cast<int>(decoded.size());
      decoded.push_back({column.name, of_format->type});
      layout.metadata_keys.emplace_back(of_format->key);
    } else if (column.kind == ColumnDefinition::Kind::kMetadata) {
      out.is_metadata = true;
      out.metadata = column.metadata_key == "topic"       ? Metadata::kTopic
                     : column.metadata_key == "partition" ? Metadata::kPartition
                     : column.metadata_key == "offset"    ? Metadata::kOffset
                                                          : Metadata::kTimestamp;
    } else {
      out.decoded = static_cast<int>(decoded.size());
      decoded.push_back({column.name, column.type});
      layout.metadata_keys.emplace_back();
    }
    layout.columns.push_back(std::move(out));
  }
  layout.decoded_schema = Schema(std::move(decoded));
  return layout;
}

class LogSplitReader final : public SplitReader {
 public:
  LogSplitReader(std::shared_ptr<Partition> partition, OffsetPosition position, std::unique_ptr<RowDecoder> decoder,
                 const ReadLayout& layout, SplitContext context)
      : partition_(partition),
        position_(position),
        reader_(partition, position.next,
                {.unreadable = [this](const UnreadableRecords& records) { Reject(records); }}),
        decoder_(std::move(decoder)),
        layout_(layout),
        context_(std::move(context)) {
    decoder_->SetOrigin(partition->topic(), partition->index());
    if (context_.wake) subscription_ = partition_->Subscribe(context_.wake);
  }

  Result<ReadOutcome> Read(int rows_max) override {
    rows_max = std::max(1, rows_max / layout_.rows_per_record);
    ReadOutcome outcome;
    outcome.position = position_.ToText();
    if (position_.end >= 0 && position_.next >= position_.end) {
      outcome.ended = true;
      return outcome;
    }
    TM_RETURN_IF_ERROR(reader_.Poll(rows_max, &records_));
    if (records_.empty() && position_.end < 0) {
      // Arm first, then look again: an append between the two is not missed.
      if (subscription_) subscription_->Arm();
      TM_RETURN_IF_ERROR(reader_.Poll(rows_max, &records_));
      outcome.idle = records_.empty();
    }
    size_t count = records_.size();
    if (position_.end >= 0) {
      while (count > 0 && records_[count - 1].offset >= position_.end) --count;
      // Control records and aborted transactions leave gaps: reaching the end is seen by the reader's position.
      position_.next = count < records_.size() ? position_.end : std::min(reader_.position(), position_.end);
    } else {
      position_.next = reader_.position();
    }
    outcome.position = position_.ToText();
    outcome.ended = position_.end >= 0 && (position_.next >= position_.end || records_.empty());
    if (count > 0) TM_RETURN_IF_ERROR(Decode(count, &outcome.batch));
    return outcome;
  }

  int64_t LagRecords() const override { return std::max<int64_t>(0, partition_->Offsets().end - position_.next); }

 private:
  void Reject(const UnreadableRecords& records) {
    context_.rejects->Reject({.reason = RejectReason::kMalformed,
                              .source = partition_->topic(),
                              .partition = partition_->index(),
                              .offset = records.first_offset,
                              .detail = "records up to offset " + std::to_string(records.last_offset) +
                                        " can't be decompressed: " + records.why});
  }

  Status Decode(size_t count, Batch* batch) {
    rows_.clear();
    for (size_t i = 0; i < count; ++i) rows_.push_back({records_[i].value, records_[i].offset});
    TM_ASSIGN_OR_RETURN(const RowDecoder::Output decoded, decoder_->Decode(rows_, *context_.rejects));
    const int64_t num_rows = static_cast<int64_t>(decoded.input_index.size());
    std::vector<std::shared_ptr<arrow::Array>> arrays;
    for (const ReadLayout::Column& column : layout_.columns) {
      if (column.of_format) {
        TM_ASSIGN_OR_RETURN(auto array, CastMetadata(decoded.rows->column(column.decoded), column.type));
        arrays.push_back(std::move(array));
      } else if (!column.is_metadata) {
        arrays.push_back(decoded.rows->column(column.decoded));
      } else {
        TM_ASSIGN_OR_RETURN(auto array, MetadataArray(column, decoded.input_index));
        arrays.push_back(std::move(array));
      }
    }
    batch->rows = arrow::RecordBatch::Make(layout_.read_schema.arrow(), num_rows, std::move(arrays));
    batch->row_kinds = RowKindsOf(decoded.row_kinds);
    batch->ingest_us = records_[0].timestamp_ms * 1000;
    return Status::OK();
  }

  Result<std::shared_ptr<arrow::Array>> MetadataArray(const ReadLayout::Column& column,
                                                      const std::vector<int32_t>& input_index) {
    std::shared_ptr<arrow::Array> array;
    switch (column.metadata) {
      case Metadata::kTopic: {
        TM_ARROW_ASSIGN_OR_RETURN(
            array, arrow::MakeArrayFromScalar(arrow::StringScalar(partition_->topic()), input_index.size()),
            "metadata column");
        break;
      }
      case Metadata::kPartition: {
        TM_ARROW_ASSIGN_OR_RETURN(
            array, arrow::MakeArrayFromScalar(arrow::Int32Scalar(partition_->index()), input_index.size()),
            "metadata column");
        break;
      }
      default: {
        arrow::Int64Builder builder;
        TM_ARROW_RETURN_IF_ERROR(builder.Reserve(static_cast<int64_t>(input_index.size())), "metadata column");
        for (int32_t input : input_index) {
          builder.UnsafeAppend(column.metadata == Metadata::kOffset ? records_[input].offset
                                                                    : records_[input].timestamp_ms);
        }
        TM_ARROW_RETURN_IF_ERROR(builder.Finish(&array), "metadata column");
        if (column.metadata == Metadata::kTimestamp) {
          TM_ARROW_ASSIGN_OR_RETURN(array, array->View(arrow::timestamp(arrow::TimeUnit::MILLI, "UTC")),
                                    "metadata column");
        }
      }
    }
    return CastMetadata(std::move(array), column.type);
  }

  std::shared_ptr<Partition> partition_;
  OffsetPosition position_;
  PartitionReader reader_;
  std::unique_ptr<RowDecoder> decoder_;
  const ReadLayout& layout_;
  SplitContext context_;
  std::unique_ptr<PartitionSubscription> subscription_;
  std::vector<RecordView> records_;
  std::vector<EncodedRow> rows_;
};

class LogSource final : public Source {
 public:
  LogSource(const ScanSpec& scan, LogTableOptions options, std::shared_ptr<SchemaSource> schemas,
            const ConnectorContext& context)
      : options_(std::move(options)),
        schemas_(std::move(schemas)),
        layout_(MakeLayout(scan, options_.format)),
        log_(*context.log),
        group_(options_.group_id.empty() ? context.job + "-" + scan.table->name : options_.group_id) {}

  Result<std::vector<SourceSplit>> Splits() override {
    std::vector<SourceSplit> splits;
    for (const std::string& topic : options_.topics) {
      if (options_.auto_create) TM_RETURN_IF_ERROR(EnsureTopic(log_, topic, options_.partitions));
      TM_ASSIGN_OR_RETURN(const TopicDescription description, log_.Describe(topic));
      for (size_t i = 0; i < description.partitions.size(); ++i) splits.push_back({topic + "-" + std::to_string(i)});
    }
    return splits;
  }

  Result<std::unique_ptr<SplitReader>> OpenSplit(const SourceSplit& split, const std::optional<std::string>& position,
                                                 SplitContext context) override {
    TM_ASSIGN_OR_RETURN(const Place place, PlaceOf(split.id));
    TM_ASSIGN_OR_RETURN(auto partition, log_.partition(place.topic, place.partition));
    OffsetPosition start;
    if (position) {
      TM_ASSIGN_OR_RETURN(start, OffsetPosition::Parse(*position));
    } else {
      TM_ASSIGN_OR_RETURN(start.next, StartOffset(*partition));
    }
    if (options_.bounded && start.end < 0) start.end = partition->Offsets().last_stable;
    TM_ASSIGN_OR_RETURN(
        auto decoder,
        MakeRecordDecoder(options_.format, layout_.decoded_schema, layout_.physical_schema, options_.format_options,
                          {schemas_, place.topic, false, nullptr, layout_.metadata_keys}));
    return std::unique_ptr<SplitReader>(
        new LogSplitReader(std::move(partition), start, std::move(decoder), layout_, std::move(context)));
  }

  bool bounded() const override { return options_.bounded; }

  // Records can be read before they are on disk.
  Status MakeDurable(const std::map<std::string, std::string>& positions) override {
    for (const auto& [split, text] : positions) {
      TM_ASSIGN_OR_RETURN(const Place place, PlaceOf(split));
      TM_ASSIGN_OR_RETURN(const OffsetPosition position, OffsetPosition::Parse(text));
      auto partition = log_.partition(place.topic, place.partition);
      if (partition.status().Is(kUnknownTopic)) continue;  // deleted: there is nothing to come back to
      TM_RETURN_IF_ERROR(partition.status());
      if (position.next > (*partition)->Offsets().durable_end)
        TM_RETURN_IF_ERROR((*partition)->SyncUpTo(position.next - 1));
    }
    return Status::OK();
  }

  void OnEpochCommitted(const std::map<std::string, std::string>& positions) override {
    std::vector<ConsumerPosition> committed;
    for (const auto& [split, text] : positions) {
      const Result<Place> place = PlaceOf(split);
      const Result<OffsetPosition> position = OffsetPosition::Parse(text);
      if (place.ok() && position.ok()) committed.push_back({place->topic, place->partition, position->next, "", 0});
    }
    if (!committed.empty()) log_.positions().CommitAsync(group_, std::move(committed), [](Status) {});
  }

 private:
  struct Place {
    std::string topic;
    int32_t partition = 0;
  };
  static Result<Place> PlaceOf(const std::string& split) {
    const size_t dash = split.rfind('-');
    Place place;
    if (dash == std::string::npos) return Status(kInternalError, "bad split '" + split + "'");
    place.topic = split.substr(0, dash);
    const auto [rest, error] = std::from_chars(split.data() + dash + 1, split.data() + split.size(), place.partition);
    if (error != std::errc() || rest != split.data() + split.size())
      return Status(kInternalError, "bad split '" + split + "'");
    return place;
  }

  Result<int64_t> StartOffset(Partition& partition) {
    const PartitionOffsets offsets = partition.Offsets();
    switch (options_.startup) {
      case LogTableOptions::Startup::kLatest:
        return offsets.end;
      case LogTableOptions::Startup::kTimestamp:
        return partition.OffsetForTime(options_.startup_timestamp_ms);
      case LogTableOptions::Startup::kGroupOffsets: {
        const auto committed = log_.positions().Get(group_, partition.topic(), partition.index());
        if (committed) return std::max(committed->offset, offsets.log_start);
        return offsets.log_start;
      }
      case LogTableOptions::Startup::kEarliest:
        break;
    }
    return offsets.log_start;
  }

  const LogTableOptions options_;
  const std::shared_ptr<SchemaSource> schemas_;
  const ReadLayout layout_;
  Log& log_;
  const std::string group_;
};

}  // namespace

Result<std::unique_ptr<Source>> MakeLogSource(const ScanSpec& scan, const ConnectorContext& context) {
  TableDefinition table = *scan.table;
  table.options = scan.options;  // with OPTIONS hints
  TM_ASSIGN_OR_RETURN(LogTableOptions options, ParseLogTableOptions(table));
  TM_ASSIGN_OR_RETURN(auto schemas, OpenSchemaSource(options.format, options.format_options, context));
  return std::unique_ptr<Source>(new LogSource(scan, std::move(options), std::move(schemas), context));
}

}  // namespace tidemill
