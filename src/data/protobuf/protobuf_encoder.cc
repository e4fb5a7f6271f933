#include <google/protobuf/descriptor.h>

#include "data/errors.h"
#include "data/format.h"
#include "data/internal/confluent_header.h"
#include "data/internal/format_options.h"
#include "data/internal/message_encoder.h"
#include "data/internal/schema_subject.h"
#include "data/protobuf/protobuf_message.h"
#include "data/protobuf/protobuf_schema.h"
#include "data/protobuf/protobuf_table_schema.h"
#include "data/protobuf/protobuf_write_plan.h"

namespace tidemill {
namespace {

using ProtobufEncoder = MessageEncoder<ProtobufWriteStep, BindProtobufWritePlan, WriteProtobufRow>;

// Everything about a schema that is written but its id.
struct WrittenMessage {
  std::unique_ptr<ProtobufSchema> schema;
  ProtobufWriteStep plan;
  std::string indexes;
};

Result<WrittenMessage> MakeWrittenMessage(const ResolvedSchema& resolved, const ProtobufOptions& options, bool only,
                                          const Schema& table) {
  WrittenMessage out;
  TM_ASSIGN_OR_RETURN(out.schema, ProtobufSchema::Parse(resolved));
  TM_ASSIGN_OR_RETURN(const auto* message, FindProtobufMessage(out.schema->file(), options.message_name, only));
  TM_ASSIGN_OR_RETURN(out.plan, MakeProtobufWritePlan(*message, table, options.null_string_literal));
  out.indexes = ProtobufMessageIndexes(*message);
  return out;
}

std::unique_ptr<RowEncoder> MakeProtobufEncoderOf(WrittenMessage message, const Schema& table, std::string header) {
  return std::make_unique<ProtobufEncoder>(std::move(message.plan), table.num_fields(), std::move(header));
}

// What `subject` has, where nothing may be registered.
Result<std::unique_ptr<RowEncoder>> MakeProtobufEncoderOfLatest(const std::string& subject,
                                                                const WrittenMessage* wanted,
                                                                const ProtobufOptions& options, const Schema& table,
                                                                const FormatContext& context) {
  TM_ASSIGN_OR_RETURN(const auto latest, LatestSchema(subject, SchemaLanguage::kProtobuf, context));
  TM_ASSIGN_OR_RETURN(auto message, MakeWrittenMessage(latest.schema, options, false, table));
  if (wanted != nullptr && message.schema->CanonicalText() != wanted->schema->CanonicalText())
    return AnotherSchemaIsNewest(subject, wanted->schema->CanonicalText());
  std::string header = ConfluentHeader(latest.id) + message.indexes;
  return MakeProtobufEncoderOf(std::move(message), table, std::move(header));
}

}  // namespace

Result<std::unique_ptr<RowEncoder>> MakeProtobufEncoder(const Schema& schema, const Config& options,
                                                        const FormatContext& context) {
  TM_ASSIGN_OR_RETURN(const ProtobufOptions parsed, ParseProtobufOptions(options));
  TM_ASSIGN_OR_RETURN(const ResolvedSchema resolved, ProtobufSchemaOfOptions(parsed, context));
  TM_ASSIGN_OR_RETURN(auto message, MakeWrittenMessage(resolved, parsed, true, schema));
  return MakeProtobufEncoderOf(std::move(message), schema, "");
}

Result<std::unique_ptr<RowEncoder>> MakeConfluentProtobufEncoder(const Schema& schema, const Config& options,
                                                                 const FormatContext& context) {
  TM_ASSIGN_OR_RETURN(const ProtobufOptions parsed, ParseConfluentProtobufOptions(options));
  TM_RETURN_IF_ERROR(CheckHasRegistry("protobuf-confluent", context));
  TM_ASSIGN_OR_RETURN(const std::string subject,
                      SubjectToWrite("protobuf-confluent", parsed.registry.subject, context));
  if (parsed.registry.use_latest_version) return MakeProtobufEncoderOfLatest(subject, nullptr, parsed, schema, context);
  std::string text = parsed.registry.schema;
  ProtobufOptions naming = parsed;
  if (text.empty()) {
    const std::string name = context.topic.empty() ? subject : context.topic + (context.is_key ? "_key" : "_value");
    TM_ASSIGN_OR_RETURN(text, ProtobufSchemaOfTable(schema, parsed.message_name.empty() ? name : parsed.message_name));
    naming.message_name.clear();
  }
  auto message = MakeWrittenMessage({SchemaLanguage::kProtobuf, text, {}}, naming, false, schema);
  if (!message.ok())
    return message.status().WithContext(parsed.registry.schema.empty() ? "derived schema" : "'schema'");
  if (!parsed.registry.auto_register) return MakeProtobufEncoderOfLatest(subject, &*message, naming, schema, context);
  // Made before it is registered: a schema that can't be written leaves no trace.
  TM_ASSIGN_OR_RETURN(const int32_t id, context.schemas->Register(subject, {SchemaLanguage::kProtobuf, text, {}}));
  std::string header = ConfluentHeader(id) + message->indexes;
  return MakeProtobufEncoderOf(*std::move(message), schema, std::move(header));
}

}  // namespace tidemill
