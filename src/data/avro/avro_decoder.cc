#include "data/arrow_status.h"
#include "data/avro/avro_reader.h"
#include "data/avro/avro_table_schema.h"
#include "data/errors.h"
#include "data/format.h"
#include "data/internal/format_options.h"
#include "data/internal/message_decoder.h"
#include "data/internal/schema_subject.h"

namespace tidemill {
namespace {

class AvroMessages {
 public:
  using Plan = AvroReadPlan;

  AvroMessages(Schema schema, AvroOptions options, FormatContext context)
      : schema_(std::move(schema)), options_(std::move(options)), context_(std::move(context)) {}

  bool HeaderEnd(std::string_view, size_t&) { return true; }

  Result<Plan> MakePlan(int32_t id, std::string_view, const ResolvedSchema& resolved,
                        std::vector<ColumnWriter>& columns, std::string& refused) {
    if (resolved.language != SchemaLanguage::kAvro) {
      refused = fmt::format("schema {} is none of Avro", id);
      return Plan();
    }
    const auto parsed = AvroSchema::Parse(resolved);
    if (!parsed.ok()) {
      refused = fmt::format("schema {}: {}", id, parsed.status().message());
      return Plan();
    }
    std::shared_ptr<const AvroSchema> reader;
    if (AvroLacksColumns(**parsed, schema_)) {
      TM_ASSIGN_OR_RETURN(reader, ReaderSchema());
    }
    return PlanOf(**parsed, reader.get(), columns);
  }

  Plan PlanOf(const AvroSchema& writer, const AvroSchema* reader, std::vector<ColumnWriter>& columns) const {
    const Schema& all = context_.all_columns ? *context_.all_columns : schema_;
    return MakeAvroReadPlan(writer, reader, schema_, all.num_fields() == 1, columns);
  }

  Result<bool> ReadRow(const Plan& plan, std::string_view bytes, int64_t row) {
    return reader_.ReadRow(plan, bytes, row);
  }
  const MessageRefusal& refusal() const { return reader_.refusal(); }

 private:
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

  Schema schema_;
  AvroOptions options_;
  FormatContext context_;
  AvroReader reader_;
};

std::unique_ptr<MessageDecoder<AvroMessages>> MakeDecoder(const Schema& schema, const AvroOptions& options,
                                                          const FormatContext& context) {
  return std::make_unique<MessageDecoder<AvroMessages>>(schema, context.schemas, options.message_bytes_max,
                                                        AvroMessages(schema, options, context));
}

}  // namespace

Result<std::unique_ptr<RowDecoder>> MakeAvroDecoder(const Schema& schema, const Config& options,
                                                    const FormatContext& context) {
  TM_ASSIGN_OR_RETURN(const AvroOptions parsed, ParseAvroOptions(options));
  const Schema& all = context.all_columns ? *context.all_columns : schema;
  TM_ASSIGN_OR_RETURN(const std::string text, AvroSchemaOfTable(all, parsed.legacy_timestamps));
  TM_ASSIGN_OR_RETURN(const auto writer, AvroSchema::Parse({SchemaLanguage::kAvro, text, {}}));
  auto decoder = MakeDecoder(schema, parsed, context);
  decoder->UsePlan(AvroMessages(schema, parsed, context).PlanOf(*writer, nullptr, decoder->columns()));
  return std::unique_ptr<RowDecoder>(std::move(decoder));
}

Result<std::unique_ptr<RowDecoder>> MakeConfluentAvroDecoder(const Schema& schema, const Config& options,
                                                             const FormatContext& context) {
  TM_ASSIGN_OR_RETURN(const AvroOptions parsed, ParseConfluentAvroOptions(options));
  TM_RETURN_IF_ERROR(CheckHasRegistry("avro-confluent", context));
  if (!parsed.registry.schema.empty())
    TM_RETURN_IF_ERROR(
        AvroSchema::Parse({SchemaLanguage::kAvro, parsed.registry.schema, {}}).status().WithContext("'schema'"));
  return std::unique_ptr<RowDecoder>(MakeDecoder(schema, parsed, context));
}

}  // namespace tidemill
