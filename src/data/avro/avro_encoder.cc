#include "data/avro/avro_schema.h"
#include "data/avro/avro_table_schema.h"
#include "data/avro/avro_write_plan.h"
#include "data/errors.h"
#include "data/format.h"
#include "data/internal/confluent_header.h"
#include "data/internal/format_options.h"
#include "data/internal/message_encoder.h"
#include "data/internal/schema_subject.h"

namespace tidemill {
namespace {

using AvroEncoder = MessageEncoder<AvroWriteStep, BindAvroWritePlan, WriteAvroRow>;

Result<std::unique_ptr<RowEncoder>> MakeEncoder(const AvroSchema& schema, const Schema& table, std::string header) {
  TM_ASSIGN_OR_RETURN(AvroWriteStep plan, MakeAvroWritePlan(schema, table));
  std::unique_ptr<RowEncoder> encoder =
      std::make_unique<AvroEncoder>(std::move(plan), table.num_fields(), std::move(header));
  return encoder;
}

// What `subject` has, where nothing may be registered.
Result<std::unique_ptr<RowEncoder>> MakeEncoderOfLatest(const std::string& subject, const AvroSchema* wanted,
                                                        const Schema& table, const FormatContext& context) {
  TM_ASSIGN_OR_RETURN(const auto latest, LatestSchema(subject, SchemaLanguage::kAvro, context));
  TM_ASSIGN_OR_RETURN(const auto parsed, AvroSchema::Parse(latest.schema));
  if (wanted != nullptr && parsed->CanonicalText() != wanted->CanonicalText())
    return AnotherSchemaIsNewest(subject, wanted->CanonicalText());
  return MakeEncoder(*parsed, table, ConfluentHeader(latest.id));
}

}  // namespace

Result<std::unique_ptr<RowEncoder>> MakeAvroEncoder(const Schema& schema, const Config& options, const FormatContext&) {
  TM_ASSIGN_OR_RETURN(const AvroOptions parsed, ParseAvroOptions(options));
  TM_ASSIGN_OR_RETURN(const std::string text, AvroSchemaOfTable(schema, parsed.legacy_timestamps));
  TM_ASSIGN_OR_RETURN(const auto avro, AvroSchema::Parse({SchemaLanguage::kAvro, text, {}}));
  return MakeEncoder(*avro, schema, "");
}

Result<std::unique_ptr<RowEncoder>> MakeConfluentAvroEncoder(const Schema& schema, const Config& options,
                                                             const FormatContext& context) {
  TM_ASSIGN_OR_RETURN(const AvroOptions parsed, ParseConfluentAvroOptions(options));
  TM_RETURN_IF_ERROR(CheckHasRegistry("avro-confluent", context));
  TM_ASSIGN_OR_RETURN(const std::string subject, SubjectToWrite("avro-confluent", parsed.registry.subject, context));
  if (parsed.registry.use_latest_version) return MakeEncoderOfLatest(subject, nullptr, schema, context);
  std::string text = parsed.registry.schema;
  if (text.empty()) {
    TM_ASSIGN_OR_RETURN(text, AvroSchemaOfTable(schema, parsed.legacy_timestamps));
  }
  const auto avro = AvroSchema::Parse({SchemaLanguage::kAvro, text, {}});
  if (!avro.ok()) return avro.status().WithContext(parsed.registry.schema.empty() ? "derived schema" : "'schema'");
  if (!parsed.registry.auto_register) return MakeEncoderOfLatest(subject, avro->get(), schema, context);
  // Made before it is registered: a schema that can't be written leaves no trace.
  TM_RETURN_IF_ERROR(MakeAvroWritePlan(**avro, schema).status());
  TM_ASSIGN_OR_RETURN(const int32_t id, context.schemas->Register(subject, {SchemaLanguage::kAvro, text, {}}));
  return MakeEncoder(**avro, schema, ConfluentHeader(id));
}

}  // namespace tidemill
