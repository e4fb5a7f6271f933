#include "data/format.h"

#include "data/errors.h"
#include "data/internal/format_options.h"

namespace tidemill {
namespace {

using DecoderResult = Result<std::unique_ptr<RowDecoder>>;
using EncoderResult = Result<std::unique_ptr<RowEncoder>>;

struct Format {
  std::string_view name;
  DecoderResult (*make_decoder)(const Schema&, const Config&, const FormatContext&);
  EncoderResult (*make_encoder)(const Schema&, const Config&, const FormatContext&);
  Status (*validate)(const Config&);
  bool binary = false;
  bool registry = false;
  bool changelog = false;
};

// A factory that needs nothing of its place.
template <DecoderResult (*make)(const Schema&, const Config&)>
DecoderResult Decoder(const Schema& schema, const Config& options, const FormatContext&) {
  return make(schema, options);
}
template <EncoderResult (*make)(const Schema&, const Config&)>
EncoderResult Encoder(const Schema& schema, const Config& options, const FormatContext&) {
  return make(schema, options);
}

constexpr Format kFormats[] = {
    {"json", Decoder<MakeJsonDecoder>, Encoder<MakeJsonEncoder>,
     [](const Config& options) { return ParseJsonOptions(options).status(); }},
    {"csv", Decoder<MakeCsvDecoder>, Encoder<MakeCsvEncoder>,
     [](const Config& options) { return ParseCsvOptions(options).status(); }},
    {"raw", Decoder<MakeRawDecoder>, Encoder<MakeRawEncoder>,
     [](const Config& options) { return ParseRawOptions(options).status(); }},
    {"avro", MakeAvroDecoder, MakeAvroEncoder, [](const Config& options) { return ParseAvroOptions(options).status(); },
     true},
    {"avro-confluent", MakeConfluentAvroDecoder, MakeConfluentAvroEncoder,
     [](const Config& options) { return ParseConfluentAvroOptions(options).status(); }, true, true},
    {"json-schema-confluent", MakeConfluentJsonDecoder, MakeConfluentJsonEncoder,
     [](const Config& options) { return ParseConfluentJsonOptions(options).status(); }, true, true},
    {"protobuf", MakeProtobufDecoder, MakeProtobufEncoder,
     [](const Config& options) { return ParseProtobufOptions(options).status(); }, true},
    {"protobuf-confluent", MakeConfluentProtobufDecoder, MakeConfluentProtobufEncoder,
     [](const Config& options) { return ParseConfluentProtobufOptions(options).status(); }, true, true},
    {"debezium-json", MakeDebeziumJsonDecoder, MakeDebeziumJsonEncoder,
     [](const Config& options) { return ParseDebeziumJsonOptions(options).status(); }, false, false, true},
    {kDebeziumAvro, MakeDebeziumAvroDecoder, MakeDebeziumAvroEncoder,
     [](const Config& options) { return ParseConfluentAvroOptions(options, kDebeziumAvro).status(); }, true, true,
     true},
};

Result<const Format*> FindFormat(std::string_view name) {
  std::string known;
  for (const Format& format : kFormats) {
    if (format.name == name) return &format;
    known += (known.empty() ? "" : ", ") + std::string(format.name);
  }
  Status status(kUnknownFormat, "no format '" + std::string(name) + "'");
  const std::string nearest = NearestName(name, RowFormats());
  if (!nearest.empty()) status = status.WithHint("did you mean '" + nearest + "'?");
  return status.WithNote("formats: " + known);
}

}  // namespace

std::vector<std::string> RowFormats() {
  std::vector<std::string> names;
  for (const Format& format : kFormats) names.emplace_back(format.name);
  return names;
}

Result<std::unique_ptr<RowDecoder>> MakeRowDecoder(std::string_view format, const Schema& schema,
                                                   const Config& options) {
  return MakeRowDecoder(format, schema, options, FormatContext());
}

Result<std::unique_ptr<RowDecoder>> MakeRowDecoder(std::string_view format, const Schema& schema, const Config& options,
                                                   const FormatContext& context) {
  TM_ASSIGN_OR_RETURN(const Format* found, FindFormat(format));
  return found->make_decoder(schema, options, context);
}

Result<std::unique_ptr<RowEncoder>> MakeRowEncoder(std::string_view format, const Schema& schema,
                                                   const Config& options) {
  return MakeRowEncoder(format, schema, options, FormatContext());
}

Result<std::unique_ptr<RowEncoder>> MakeRowEncoder(std::string_view format, const Schema& schema, const Config& options,
                                                   const FormatContext& context) {
  TM_ASSIGN_OR_RETURN(const Format* found, FindFormat(format));
  return found->make_encoder(schema, options, context);
}

bool IsBinaryFormat(std::string_view format) {
  const auto found = FindFormat(format);
  return found.ok() && (*found)->binary;
}

bool UsesSchemaRegistry(std::string_view format) {
  const auto found = FindFormat(format);
  return found.ok() && (*found)->registry;
}

bool IsChangelogFormat(std::string_view format) {
  const auto found = FindFormat(format);
  return found.ok() && (*found)->changelog;
}

std::vector<FormatMetadata> FormatMetadataColumns(std::string_view format) {
  if (format != "debezium-json") return {};
  const DataType text(TypeKind::kString);
  return {{"schema", text},
          {"ingestion-timestamp", DataType::TimestampLtz(3)},
          {"source.timestamp", DataType::TimestampLtz(3)},
          {"source.database", text},
          {"source.schema", text},
          {"source.table", text},
          {"source.properties", DataType::Map(text.WithNullable(false), text)}};
}

Status ValidateFormatOptions(std::string_view format, const Config& options) {
  TM_ASSIGN_OR_RETURN(const Format* found, FindFormat(format));
  return found->validate(options);
}

}  // namespace tidemill
