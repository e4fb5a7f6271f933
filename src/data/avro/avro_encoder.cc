#include <arrow/record_batch.h>

#include "data/avro/avro_schema.h"
#include "data/avro/avro_table_schema.h"
#include "data/avro/avro_write_plan.h"
#include "data/errors.h"
#include "data/format.h"
#include "data/internal/confluent_header.h"
#include "data/internal/format_options.h"
#include "data/internal/schema_subject.h"

namespace tidemill {
namespace {

class AvroEncoder final : public RowEncoder {
 public:
  AvroEncoder(AvroWriteStep plan, int columns, std::string header)
      : plan_(std::move(plan)), columns_(columns), header_(std::move(header)) {}

  Status Encode(const Batch& batch, std::string& out, std::vector<size_t>& ends) override {
    ends.clear();
    if (batch.rows->num_columns() != columns_) {
      return Status(kInternalError, "expected " + std::to_string(columns_) + " columns, found " +
                                        std::to_string(batch.rows->num_columns()));
    }
    BindAvroWritePlan(*batch.rows, plan_);
    const int64_t rows = batch.num_rows();
    ends.reserve(static_cast<size_t>(rows));
    for (int64_t row = 0; row < rows; ++row) {
      out += header_;
      TM_RETURN_IF_ERROR(WriteAvroRow(plan_, row, out));
      ends.push_back(out.size());
    }
    return Status::OK();
  }

 private:
  AvroWriteStep plan_;
  const int columns_;
  const std::string header_;
};

Result<std::unique_ptr<RowEncoder>> MakeEncoder(const AvroSchema& schema, const Schema& table, std::string header) {
  TM_ASSIGN_OR_RETURN(AvroWriteStep plan, MakeAvroWritePlan(schema, table));
  std::unique_ptr<RowEncoder> encoder =
      std::make_unique<AvroEncoder>(std::move(plan), table.num_fields(), std::move(header));
  return encoder;
}

// What `subject` has, where nothing may be registered.
Result<std::unique_ptr<RowEncoder>> MakeEncoderOfLatest(const std::string& subject, const AvroSchema* wanted,
                                                        const Schema& table, const FormatContext& context) {
  TM_ASSIGN_OR_RETURN(const auto latest, context.schemas->LatestOf(subject));
  if (!latest) return Status(kSchemaNotFound, "subject '" + subject + "' has no schema");
  if (latest->schema.language != SchemaLanguage::kAvro)
    return Status(kIncompatibleSchema, "the schema of subject '" + subject + "' is none of Avro");
  TM_ASSIGN_OR_RETURN(const auto parsed, AvroSchema::Parse(latest->schema));
  if (wanted != nullptr && parsed->CanonicalText() != wanted->CanonicalText()) {
    return Status(kSchemaNotFound, "the newest schema of subject '" + subject + "' is another than the table's")
        .WithHint("register the table's, or use the newest one: 'properties.use.latest.version' = 'true'")
        .WithNote("the table's: " + wanted->CanonicalText());
  }
  return MakeEncoder(*parsed, table, ConfluentHeader(latest->id));
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
  const std::string subject = SubjectOf(parsed.registry.subject, context);
  if (subject.empty()) {
    return Status(kInvalidFormatOption,
                  "format 'avro-confluent' needs 'avro-confluent.subject' to write: no one topic");
  }
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
