#include <unordered_map>
#include <unordered_set>

#include <arrow/record_batch.h>
#include <fmt/format.h>

#include "data/arrow_status.h"
#include "data/errors.h"
#include "data/format.h"
#include "data/internal/column_writer.h"
#include "data/internal/confluent_header.h"
#include "data/internal/format_options.h"
#include "data/internal/schema_subject.h"
#include "data/protobuf/protobuf_message.h"
#include "data/protobuf/protobuf_reader.h"
#include "data/protobuf/protobuf_schema.h"

namespace tidemill {
namespace {

constexpr size_t kProtobufPlansMax = 1'000;

// A message of a writer's schema, made ready for the table's columns; or why its data is refused.
struct ProtobufWriter {
  ProtobufReadPlan plan;
  std::string refused;
};

class ProtobufDecoder final : public RowDecoder {
 public:
  ProtobufDecoder(Schema schema, ProtobufOptions options, FormatContext context)
      : schema_(std::move(schema)),
        options_(std::move(options)),
        context_(std::move(context)),
        reader_(options_.ignore_parse_errors) {
    columns_.reserve(static_cast<size_t>(schema_.num_fields()));
    for (const Field& field : schema_.fields()) columns_.emplace_back(field.type);
  }

  // All messages are of this schema and have no header.
  Status UseSchema(const ResolvedSchema& resolved) {
    TM_ASSIGN_OR_RETURN(const auto parsed, ProtobufSchema::Parse(resolved));
    TM_ASSIGN_OR_RETURN(const auto* message, FindProtobufMessage(parsed->file(), options_.message_name, true));
    fixed_ = std::make_unique<ProtobufWriter>();
    fixed_->plan = MakeProtobufReadPlan(*message, nullptr, schema_, options_.read_default_values, columns_);
    if (fixed_->plan.trouble.empty()) return Status::OK();
    return Status(kInvalidFormatOption, "format 'protobuf': " + fixed_->plan.trouble);
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
    const ProtobufWriter* writer = fixed_.get();
    if (writer == nullptr) {
      // Headers end by themselves, so one that begins like the last is the last.
      if (last_ == nullptr || !bytes.starts_with(last_header_)) {
        TM_ASSIGN_OR_RETURN(const bool good, ReadHeader(message));
        if (!good) return false;
      }
      writer = last_;
      bytes.remove_prefix(last_header_.size());
      if (!writer->refused.empty()) return Reject(message, RejectReason::kMalformed, "", writer->refused);
    }
    TM_ASSIGN_OR_RETURN(const bool good, reader_.ReadRow(writer->plan, bytes, row));
    if (good) return true;
    const ProtobufReader::Refusal& refusal = reader_.refusal();
    return Reject(message, refusal.reason, refusal.field, refusal.detail);
  }

  // Sets last_ and last_header_; false when the message was rejected.
  Result<bool> ReadHeader(const EncodedRow& message) {
    last_ = nullptr;
    int32_t id = 0;
    std::vector<int> indexes;
    std::string_view rest = message.bytes;
    if (!ReadConfluentHeader(rest, id)) {
      return Reject(message, RejectReason::kMalformed, "",
                    "the message does not begin with a zero byte and the id of a schema");
    }
    rest.remove_prefix(kConfluentHeaderBytes);
    if (!ReadProtobufMessageIndexes(rest, indexes))
      return Reject(message, RejectReason::kMalformed, "", "no message's place in its schema comes after the id");
    last_header_ = message.bytes.substr(0, message.bytes.size() - rest.size());
    if (const auto found = writers_.find(last_header_); found != writers_.end()) {
      last_ = found->second.get();
      return true;
    }
    if (unknown_ids_.count(id) == 0) {
      auto resolved = context_.schemas->SchemaById(id);
      if (resolved.ok()) {
        TM_ASSIGN_OR_RETURN(auto made, MakeWriter(id, indexes, *resolved));
        if (writers_.size() >= kProtobufPlansMax) writers_.clear();
        last_ = (writers_[last_header_] = std::move(made)).get();
        return true;
      }
      if (!resolved.status().Is(kSchemaNotFound)) return resolved.status().WithContext(fmt::format("schema {}", id));
      unknown_ids_.insert(id);  // asked once a batch
    }
    return Reject(message, RejectReason::kMalformed, "", fmt::format("the registry has no schema with id {}", id));
  }

  Result<std::unique_ptr<ProtobufWriter>> MakeWriter(int32_t id, const std::vector<int>& indexes,
                                                     const ResolvedSchema& resolved) {
    auto made = std::make_unique<ProtobufWriter>();
    if (resolved.language != SchemaLanguage::kProtobuf) {
      made->refused = fmt::format("schema {} is none of Protobuf", id);
      return made;
    }
    auto parsed = ProtobufSchema::Parse(resolved);
    if (!parsed.ok()) {
      made->refused = fmt::format("schema {}: {}", id, parsed.status().message());
      return made;
    }
    const auto* message = ProtobufMessageAt((*parsed)->file(), indexes);
    if (message == nullptr) {
      made->refused = fmt::format("schema {} has no message at place {}", id, fmt::join(indexes, "."));
      return made;
    }
    std::unique_ptr<ProtobufSchema> newest;
    const google::protobuf::Descriptor* reader = nullptr;
    if (ProtobufLacksColumns(*message, schema_)) {
      TM_ASSIGN_OR_RETURN(newest, NewestSchema());
      if (newest != nullptr) reader = ReaderMessage(*newest, indexes);
    }
    made->plan = MakeProtobufReadPlan(*message, reader, schema_, options_.read_default_values, columns_);
    return made;
  }

  // The schema that gives names their numbers where the writer's has not; null when there is none.
  Result<std::unique_ptr<ProtobufSchema>> NewestSchema() {
    std::unique_ptr<ProtobufSchema> none;
    if (!options_.registry.schema.empty())
      return ProtobufSchema::Parse({SchemaLanguage::kProtobuf, options_.registry.schema, {}});
    const std::string subject = SubjectOf(options_.registry.subject, context_);
    if (subject.empty()) return none;
    TM_ASSIGN_OR_RETURN(auto latest, context_.schemas->LatestOf(subject));
    if (!latest || latest->schema.language != SchemaLanguage::kProtobuf) return none;
    auto parsed = ProtobufSchema::Parse(latest->schema);
    return parsed.ok() ? *std::move(parsed) : std::move(none);
  }

  const google::protobuf::Descriptor* ReaderMessage(const ProtobufSchema& newest, const std::vector<int>& indexes) {
    if (options_.message_name.empty()) return ProtobufMessageAt(newest.file(), indexes);
    const auto found = FindProtobufMessage(newest.file(), options_.message_name, false);
    return found.ok() ? *found : nullptr;
  }

  bool Reject(const EncodedRow& message, RejectReason reason, std::string field, std::string detail) {
    RejectedRow rejected{.reason = reason, .source = source_, .partition = partition_, .offset = message.offset};
    rejected.field = std::move(field);
    rejected.detail = std::move(detail);
    rejected.raw = std::string(message.bytes.substr(0, kRejectRawBytesMax));
    rejects_->Reject(std::move(rejected));
    return false;
  }

  static constexpr size_t kRejectRawBytesMax = 64 << 10;

  Schema schema_;
  ProtobufOptions options_;
  FormatContext context_;
  std::vector<ColumnWriter> columns_;
  ProtobufReader reader_;
  std::unique_ptr<ProtobufWriter> fixed_;
  std::unordered_map<std::string, std::unique_ptr<ProtobufWriter>> writers_;  // by header
  std::unordered_set<int32_t> unknown_ids_;
  std::string last_header_;
  const ProtobufWriter* last_ = nullptr;
  RejectSink* rejects_ = nullptr;
};

}  // namespace

Result<ResolvedSchema> ProtobufSchemaOfOptions(const ProtobufOptions& options, const FormatContext& context) {
  if (!options.registry.schema.empty()) return ResolvedSchema{SchemaLanguage::kProtobuf, options.registry.schema, {}};
  if (context.schemas == nullptr)
    return Status(kInvalidFormatOption, "'protobuf.schema-file' can't be used here: give 'protobuf.schema'");
  TM_ASSIGN_OR_RETURN(auto latest, context.schemas->LatestOf(""));
  if (!latest) return Status(kSchemaNotFound, "'protobuf.schema-file' gives no schema");
  return std::move(latest->schema);
}

Result<std::unique_ptr<RowDecoder>> MakeProtobufDecoder(const Schema& schema, const Config& options,
                                                        const FormatContext& context) {
  TM_ASSIGN_OR_RETURN(ProtobufOptions parsed, ParseProtobufOptions(options));
  TM_ASSIGN_OR_RETURN(const ResolvedSchema resolved, ProtobufSchemaOfOptions(parsed, context));
  auto decoder = std::make_unique<ProtobufDecoder>(schema, std::move(parsed), context);
  TM_RETURN_IF_ERROR(decoder->UseSchema(resolved));
  return std::unique_ptr<RowDecoder>(std::move(decoder));
}

Result<std::unique_ptr<RowDecoder>> MakeConfluentProtobufDecoder(const Schema& schema, const Config& options,
                                                                 const FormatContext& context) {
  TM_ASSIGN_OR_RETURN(ProtobufOptions parsed, ParseConfluentProtobufOptions(options));
  TM_RETURN_IF_ERROR(CheckHasRegistry("protobuf-confluent", context));
  if (!parsed.registry.schema.empty()) {
    const auto given = ProtobufSchema::Parse({SchemaLanguage::kProtobuf, parsed.registry.schema, {}});
    if (!given.ok()) return given.status().WithContext("'schema'");
    TM_RETURN_IF_ERROR(FindProtobufMessage((*given)->file(), parsed.message_name, false).status());
  }
  std::unique_ptr<RowDecoder> decoder = std::make_unique<ProtobufDecoder>(schema, std::move(parsed), context);
  return decoder;
}

}  // namespace tidemill
