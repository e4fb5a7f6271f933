#include "data/arrow_status.h"
#include "data/errors.h"
#include "data/format.h"
#include "data/internal/format_options.h"
#include "data/internal/message_decoder.h"
#include "data/internal/schema_subject.h"
#include "data/protobuf/protobuf_message.h"
#include "data/protobuf/protobuf_reader.h"
#include "data/protobuf/protobuf_schema.h"

namespace tidemill {
namespace {

class ProtobufMessages {
 public:
  using Plan = ProtobufReadPlan;

  ProtobufMessages(Schema schema, ProtobufOptions options, FormatContext context)
      : schema_(std::move(schema)),
        options_(std::move(options)),
        context_(std::move(context)),
        reader_(options_.ignore_parse_errors) {}

  // After the id comes where in its schema the message is.
  bool HeaderEnd(std::string_view message, size_t& end) {
    std::string_view rest = message.substr(end);
    std::vector<int> indexes;
    if (!ReadProtobufMessageIndexes(rest, indexes)) {
      refusal_ = {RejectReason::kMalformed, "", "no message's place in its schema comes after the id"};
      return false;
    }
    end = message.size() - rest.size();
    return true;
  }

  Result<Plan> MakePlan(int32_t id, std::string_view header, const ResolvedSchema& resolved,
                        std::vector<ColumnWriter>& columns, std::string& refused) {
    if (resolved.language != SchemaLanguage::kProtobuf) {
      refused = fmt::format("schema {} is none of Protobuf", id);
      return Plan();
    }
    const auto parsed = ProtobufSchema::Parse(resolved);
    if (!parsed.ok()) {
      refused = fmt::format("schema {}: {}", id, parsed.status().message());
      return Plan();
    }
    std::vector<int> indexes;
    header.remove_prefix(kConfluentHeaderBytes);
    ReadProtobufMessageIndexes(header, indexes);
    const auto* message = ProtobufMessageAt((*parsed)->file(), indexes);
    if (message == nullptr) {
      refused = fmt::format("schema {} has no message at place {}", id, fmt::join(indexes, "."));
      return Plan();
    }
    std::unique_ptr<ProtobufSchema> newest;
    const google::protobuf::Descriptor* reader = nullptr;
    if (ProtobufLacksColumns(*message, schema_)) {
      TM_ASSIGN_OR_RETURN(newest, NewestSchema());
      if (newest != nullptr) reader = ReaderMessage(*newest, indexes);
    }
    return MakeProtobufReadPlan(*message, reader, schema_, options_.read_default_values, columns);
  }

  Result<bool> ReadRow(const Plan& plan, std::string_view bytes, int64_t row) {
    TM_ASSIGN_OR_RETURN(const bool good, reader_.ReadRow(plan, bytes, row));
    if (!good) refusal_ = reader_.refusal();
    return good;
  }
  const MessageRefusal& refusal() const { return refusal_; }

 private:
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

  Schema schema_;
  ProtobufOptions options_;
  FormatContext context_;
  ProtobufReader reader_;
  MessageRefusal refusal_;
};

std::unique_ptr<MessageDecoder<ProtobufMessages>> MakeProtobufMessageDecoder(const Schema& schema,
                                                                             const ProtobufOptions& options,
                                                                             const FormatContext& context) {
  return std::make_unique<MessageDecoder<ProtobufMessages>>(schema, context.schemas, options.message_bytes_max,
                                                            ProtobufMessages(schema, options, context));
}

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
  TM_ASSIGN_OR_RETURN(const ProtobufOptions parsed, ParseProtobufOptions(options));
  TM_ASSIGN_OR_RETURN(const ResolvedSchema resolved, ProtobufSchemaOfOptions(parsed, context));
  TM_ASSIGN_OR_RETURN(const auto written, ProtobufSchema::Parse(resolved));
  TM_ASSIGN_OR_RETURN(const auto* message, FindProtobufMessage(written->file(), parsed.message_name, true));
  auto decoder = MakeProtobufMessageDecoder(schema, parsed, context);
  auto plan = MakeProtobufReadPlan(*message, nullptr, schema, parsed.read_default_values, decoder->columns());
  if (!plan.trouble.empty()) return Status(kInvalidFormatOption, "format 'protobuf': " + plan.trouble);
  decoder->UsePlan(std::move(plan));
  return std::unique_ptr<RowDecoder>(std::move(decoder));
}

Result<std::unique_ptr<RowDecoder>> MakeConfluentProtobufDecoder(const Schema& schema, const Config& options,
                                                                 const FormatContext& context) {
  TM_ASSIGN_OR_RETURN(const ProtobufOptions parsed, ParseConfluentProtobufOptions(options));
  TM_RETURN_IF_ERROR(CheckHasRegistry("protobuf-confluent", context));
  if (!parsed.registry.schema.empty()) {
    const auto given = ProtobufSchema::Parse({SchemaLanguage::kProtobuf, parsed.registry.schema, {}});
    if (!given.ok()) return given.status().WithContext("'schema'");
    TM_RETURN_IF_ERROR(FindProtobufMessage((*given)->file(), parsed.message_name, false).status());
  }
  return std::unique_ptr<RowDecoder>(MakeProtobufMessageDecoder(schema, parsed, context));
}

}  // namespace tidemill
