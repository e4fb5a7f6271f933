#include <algorithm>
#include <unordered_map>
#include <unordered_set>

#include <arrow/record_batch.h>
#include <fmt/format.h>

#include "data/arrow_status.h"
#include "data/avro/avro_reader.h"
#include "data/avro/avro_table_schema.h"
#include "data/errors.h"
#include "data/format.h"
#include "data/internal/column_writer.h"
#include "data/internal/confluent_header.h"
#include "data/internal/format_options.h"
#include "data/internal/schema_subject.h"

namespace tidemill {
namespace {

// Schemas of one decoder's messages that are kept ready; more, and they are made anew.
constexpr size_t kPlansMax = 1'000;

// A writer's schema, made ready for the table's columns; or why its messages are refused.
struct WriterSchema {
  AvroReadPlan plan;
  std::string refused;
};

class AvroDecoder final : public RowDecoder {
 public:
  AvroDecoder(Schema schema, AvroOptions options, FormatContext context)
      : schema_(std::move(schema)), options_(std::move(options)), context_(std::move(context)) {
    columns_.reserve(static_cast<size_t>(schema_.num_fields()));
    for (const Field& field : schema_.fields()) columns_.emplace_back(field.type);
    const Schema& all = context_.all_columns ? *context_.all_columns : schema_;
    has_one_column_ = all.num_fields() == 1;
  }

  // All messages have this schema and no header.
  Status UseSchema(const std::string& text) {
    TM_ASSIGN_OR_RETURN(auto parsed, AvroSchema::Parse({SchemaLanguage::kAvro, text, {}}));
    fixed_ = std::make_unique<WriterSchema>();
    fixed_->plan = MakeAvroReadPlan(*parsed, nullptr, schema_, has_one_column_, columns_);
    return Status::OK();
  }

  Result<Output> Decode(std::span<const EncodedRow> input, RejectSink& rejects) override {
    rejects_ = &rejects;
    unknown_ids_.clear();
    for (ColumnWriter& column : columns_) TM_RETURN_IF_ERROR(column.Reserve(static_cast<int64_t>(input.size())));
    Output output;
    output.input_index.reserve(input.size());
    int64_t rows = 0;
    for (size_t i = 0; i < input.size(); ++i) {
      TM_ASSIGN_OR_RETURN(const bool good, DecodeMessage(input[i], rows));
      if (!good) continue;
      output.input_index.push_back(static_cast<int32_t>(i));
      ++rows;
    }
    arrow::ArrayVector arrays;
    for (ColumnWriter& column : columns_) {
      TM_ASSIGN_OR_RETURN(auto array, column.Finish(rows));
      arrays.push_back(std::move(array));
    }
    output.rows = arrow::RecordBatch::Make(schema_.arrow(), rows, std::move(arrays));
    return output;
  }

 private:
  Result<bool> DecodeMessage(const EncodedRow& message, int64_t row) {
    std::string_view bytes = message.bytes;
    if (static_cast<int64_t>(bytes.size()) > options_.message_bytes_max) {
      return Reject(message, RejectReason::kTooLarge, "",
                    fmt::format("the message has {} bytes, more than {} ('message-bytes-max')", bytes.size(),
                                options_.message_bytes_max));
    }
    const WriterSchema* writer = fixed_.get();
    if (writer == nullptr) {
      int32_t id = 0;
      if (!ReadConfluentHeader(bytes, id)) {
        return Reject(message, RejectReason::kMalformed, "",
                      "the message does not begin with a zero byte and the id of a schema");
      }
      bytes.remove_prefix(kConfluentHeaderBytes);
      if (id != last_id_ || last_ == nullptr) TM_RETURN_IF_ERROR(FindWriter(id));
      if (last_ == nullptr) {
        return Reject(message, RejectReason::kMalformed, "", fmt::format("the registry has no schema with id {}", id));
      }
      writer = last_;
      if (!writer->refused.empty()) return Reject(message, RejectReason::kMalformed, "", writer->refused);
    }
    TM_ASSIGN_OR_RETURN(const bool good, reader_.ReadRow(writer->plan, bytes, row));
    if (good) return true;
    const AvroReader::Refusal& refusal = reader_.refusal();
    return Reject(message, refusal.reason, refusal.field, refusal.detail);
  }

  // Sets last_: null when the registry has no such schema, which is asked once a batch.
  Status FindWriter(int32_t id) {
    last_id_ = id;
    last_ = nullptr;
    if (const auto found = writers_.find(id); found != writers_.end()) {
      last_ = found->second.get();
      return Status::OK();
    }
    if (unknown_ids_.count(id) > 0) return Status::OK();
    auto resolved = context_.schemas->SchemaById(id);
    if (resolved.status().Is(kSchemaNotFound)) {
      unknown_ids_.insert(id);
      return Status::OK();
    }
    if (!resolved.ok()) return resolved.status().WithContext(fmt::format("schema {}", id));
    TM_ASSIGN_OR_RETURN(auto made, MakeWriter(id, *resolved));
    if (writers_.size() >= kPlansMax) writers_.clear();
    last_ = (writers_[id] = std::move(made)).get();
    return Status::OK();
  }

  Result<std::unique_ptr<WriterSchema>> MakeWriter(int32_t id, const ResolvedSchema& resolved) {
    auto made = std::make_unique<WriterSchema>();
    if (resolved.language != SchemaLanguage::kAvro) {
      made->refused = fmt::format("schema {} is none of Avro", id);
      return made;
    }
    auto parsed = AvroSchema::Parse(resolved);
    if (!parsed.ok()) {
      made->refused = fmt::format("schema {}: {}", id, parsed.status().message());
      return made;
    }
    std::shared_ptr<const AvroSchema> reader;
    if (AvroLacksColumns(**parsed, schema_)) {
      TM_ASSIGN_OR_RETURN(reader, ReaderSchema());
    }
    made->plan = MakeAvroReadPlan(**parsed, reader.get(), schema_, has_one_column_, columns_);
    return made;
  }

  // The schema whose defaults stand for missing fields; null when there is none.
  Result<std::shared_ptr<const AvroSchema>> ReaderSchema() {
    std::shared_ptr<const AvroSchema> none;
    if (!options_.registry.schema.empty())
      return AvroSchema::Parse({SchemaLanguage::kAvro, options_.registry.schema, {}});
    const std::string subject = SubjectOf(options_.registry.subject, context_);
    if (subject.empty()) return none;
    TM_ASSIGN_OR_RETURN(auto latest, context_.schemas->LatestOf(subject));
    if (!latest || latest->schema.language != SchemaLanguage::kAvro) return none;
    auto parsed = AvroSchema::Parse(latest->schema);
    return parsed.ok() ? *std::move(parsed) : none;
  }

  bool Reject(const EncodedRow& message, RejectReason reason, std::string field, std::string detail) {
    RejectedRow rejected{.reason = reason, .source = source_, .partition = partition_, .offset = message.offset};
    rejected.field = std::move(field);
    rejected.detail = std::move(detail);
    rejected.raw = std::string(message.bytes.substr(0, kRejectRawBytes));
    rejects_->Reject(std::move(rejected));
    return false;
  }

  static constexpr size_t kRejectRawBytes = 64 << 10;

  Schema schema_;
  AvroOptions options_;
  FormatContext context_;
  bool has_one_column_ = false;
  std::vector<ColumnWriter> columns_;
  AvroReader reader_;
  std::unique_ptr<WriterSchema> fixed_;
  std::unordered_map<int32_t, std::unique_ptr<WriterSchema>> writers_;
  std::unordered_set<int32_t> unknown_ids_;
  int32_t last_id_ = -1;
  const WriterSchema* last_ = nullptr;
  RejectSink* rejects_ = nullptr;
};

}  // namespace

Result<std::unique_ptr<RowDecoder>> MakeAvroDecoder(const Schema& schema, const Config& options,
                                                    const FormatContext& context) {
  TM_ASSIGN_OR_RETURN(AvroOptions parsed, ParseAvroOptions(options));
  const Schema& all = context.all_columns ? *context.all_columns : schema;
  TM_ASSIGN_OR_RETURN(const std::string text, AvroSchemaOfTable(all, parsed.legacy_timestamps));
  auto decoder = std::make_unique<AvroDecoder>(schema, std::move(parsed), context);
  TM_RETURN_IF_ERROR(decoder->UseSchema(text));
  return std::unique_ptr<RowDecoder>(std::move(decoder));
}

Result<std::unique_ptr<RowDecoder>> MakeConfluentAvroDecoder(const Schema& schema, const Config& options,
                                                             const FormatContext& context) {
  TM_ASSIGN_OR_RETURN(AvroOptions parsed, ParseConfluentAvroOptions(options));
  TM_RETURN_IF_ERROR(CheckHasRegistry("avro-confluent", context));
  if (!parsed.registry.schema.empty())
    TM_RETURN_IF_ERROR(
        AvroSchema::Parse({SchemaLanguage::kAvro, parsed.registry.schema, {}}).status().WithContext("'schema'"));
  std::unique_ptr<RowDecoder> decoder = std::make_unique<AvroDecoder>(schema, std::move(parsed), context);
  return decoder;
}

}  // namespace tidemill
