#include "data/internal/format_options.h"

#include <algorithm>
#include <vector>

#include "data/errors.h"

namespace tidemill {
namespace {

std::string Joined(const std::vector<std::string>& names) {
  std::string out;
  for (const std::string& name : names) out += (out.empty() ? "" : ", ") + name;
  return out;
}

Status CheckNames(std::string_view format, const Config& options, const std::vector<std::string>& known) {
  for (const auto& [key, value] : options.values()) {
    if (std::find(known.begin(), known.end(), key) != known.end()) continue;
    Status status(kInvalidFormatOption, "format '" + std::string(format) + "' has no option '" + key + "'");
    const std::string nearest = NearestName(key, known);
    if (!nearest.empty()) status = status.WithHint("did you mean '" + nearest + "'?");
    return status.WithNote("options: " + Joined(known));
  }
  return Status::OK();
}

Status BadValue(std::string_view key, std::string_view value, std::string_view expected) {
  return Status(kInvalidFormatOption,
                "'" + std::string(key) + "' = '" + std::string(value) + "': expected " + std::string(expected));
}

// A whole number of bytes, at least 1.
Status ReadMessageBytesMax(const Config& options, int64_t& out) {
  TM_ASSIGN_OR_RETURN(out, options.GetBytes("message-bytes-max", kMessageBytesMax));
  if (out < 1 || out > (int64_t{1} << 30))
    return BadValue("message-bytes-max", options.GetString("message-bytes-max", ""), "1 byte to 1 gb");
  return Status::OK();
}

// One character, `\t`-like escapes allowed.
Status ReadChar(const Config& options, std::string_view key, char& out) {
  const auto text = options.Get(key);
  if (!text) return Status::OK();
  if (text->size() == 1) {
    out = (*text)[0];
    return Status::OK();
  }
  static constexpr std::pair<std::string_view, char> kEscapes[] = {
      {"\\t", '\t'},     {"\\n", '\n'},       {"\\\\", '\\'},     {"\\u0001", '\x01'},
      {"\\u0009", '\t'}, {"\\u001F", '\x1f'}, {"\\u001f", '\x1f'}};
  for (const auto& [written, meant] : kEscapes) {
    if (*text == written) {
      out = meant;
      return Status::OK();
    }
  }
  return BadValue(key, *text, "one ASCII character");
}

Status ReadTimestampFormat(const Config& options, JsonOptions& out) {
  const auto text = options.Get("timestamp-format.standard");
  if (!text) return Status::OK();
  if (*text == "SQL") {
    out.time_syntax = TimeSyntax::kSql;
  } else if (*text == "ISO-8601" || *text == "ISO-8601-WITH-OFFSET") {
    out.time_syntax = TimeSyntax::kIso8601;
    out.time_separator = 'T';
  } else if (*text == "EPOCH-MILLIS") {
    out.coding.timestamp = EpochUnit::kMillis;
  } else if (*text == "EPOCH-SECONDS") {
    out.coding.timestamp = EpochUnit::kSeconds;
  } else {
    return BadValue("timestamp-format.standard", *text,
                    "SQL, ISO-8601, ISO-8601-WITH-OFFSET, EPOCH-MILLIS or EPOCH-SECONDS");
  }
  return Status::OK();
}

constexpr const char* kRegistryOptions[] = {"url",
                                            "subject",
                                            "schema",
                                            "basic-auth.credentials-source",
                                            "basic-auth.user-info",
                                            "bearer-auth.credentials-source",
                                            "bearer-auth.token",
                                            "properties.auto.register.schemas",
                                            "properties.use.latest.version",
                                            "properties.basic.auth.credentials.source",
                                            "properties.basic.auth.user.info",
                                            "properties.bearer.auth.credentials.source",
                                            "properties.bearer.auth.token",
                                            "properties.request.timeout.ms",
                                            "properties.max.retries"};

Result<RegistryOptions> ReadRegistryOptions(const Config& options) {
  RegistryOptions out;
  out.subject = options.GetString("subject", "");
  out.schema = options.GetString("schema", "");
  TM_ASSIGN_OR_RETURN(out.auto_register, options.GetBool("properties.auto.register.schemas", true));
  TM_ASSIGN_OR_RETURN(out.use_latest_version, options.GetBool("properties.use.latest.version", false));
  if (out.use_latest_version && !out.schema.empty())
    return Status(kInvalidFormatOption, "'schema' and 'properties.use.latest.version' can't both be given");
  return out;
}

}  // namespace

Result<JsonOptions> ParseJsonOptions(const Config& options) {
  TM_RETURN_IF_ERROR(CheckNames(
      "json", options,
      {"fail-on-missing-field", "ignore-parse-errors", "timestamp-format.standard", "map-null-key.mode",
       "map-null-key.literal", "encode.decimal-as-plain-number", "encode.ignore-null-fields", "message-bytes-max"}));
  JsonOptions out;
  TM_ASSIGN_OR_RETURN(out.fail_on_missing_field, options.GetBool("fail-on-missing-field", false));
  TM_ASSIGN_OR_RETURN(out.ignore_parse_errors, options.GetBool("ignore-parse-errors", false));
  TM_ASSIGN_OR_RETURN(out.decimal_as_plain_number, options.GetBool("encode.decimal-as-plain-number", false));
  TM_ASSIGN_OR_RETURN(out.ignore_null_fields, options.GetBool("encode.ignore-null-fields", false));
  TM_RETURN_IF_ERROR(ReadMessageBytesMax(options, out.message_bytes_max));
  TM_RETURN_IF_ERROR(ReadTimestampFormat(options, out));
  if (out.fail_on_missing_field && out.ignore_parse_errors) {
    return Status(kInvalidFormatOption, "'fail-on-missing-field' and 'ignore-parse-errors' can't both be true");
  }
  const std::string mode = options.GetString("map-null-key.mode", "FAIL");
  if (mode == "DROP") {
    out.null_key = JsonOptions::NullKey::kDrop;
  } else if (mode == "LITERAL") {
    out.null_key = JsonOptions::NullKey::kLiteral;
  } else if (mode != "FAIL") {
    return BadValue("map-null-key.mode", mode, "FAIL, DROP or LITERAL");
  }
  out.null_key_literal = options.GetString("map-null-key.literal", "null");
  return out;
}

Result<CsvOptions> ParseCsvOptions(const Config& options) {
  TM_RETURN_IF_ERROR(CheckNames(
      "csv", options,
      {"header", "field-delimiter", "quote-character", "disable-quote-character", "escape-character", "null-literal",
       "array-element-delimiter", "allow-comments", "ignore-parse-errors", "message-bytes-max"}));
  CsvOptions out;
  const std::string header = options.GetString("header", "auto");
  if (header == "true") {
    out.header = CsvHeader::kYes;
  } else if (header == "false") {
    out.header = CsvHeader::kNo;
  } else if (header != "auto") {
    return BadValue("header", header, "auto, true or false");
  }
  TM_RETURN_IF_ERROR(ReadChar(options, "field-delimiter", out.field_delimiter));
  TM_RETURN_IF_ERROR(ReadChar(options, "quote-character", out.quote));
  TM_RETURN_IF_ERROR(ReadChar(options, "escape-character", out.escape));
  TM_ASSIGN_OR_RETURN(const bool no_quotes, options.GetBool("disable-quote-character", false));
  out.quoting = !no_quotes;
  if (no_quotes && options.Has("quote-character")) {
    return Status(kInvalidFormatOption, "'quote-character' needs 'disable-quote-character' = 'false'");
  }
  if (const auto literal = options.Get("null-literal")) {
    out.has_null_literal = true;
    out.null_literal = *literal;
  }
  out.array_element_delimiter = options.GetString("array-element-delimiter", ";");
  if (out.array_element_delimiter.empty()) return BadValue("array-element-delimiter", "", "at least one character");
  TM_ASSIGN_OR_RETURN(out.allow_comments, options.GetBool("allow-comments", false));
  TM_ASSIGN_OR_RETURN(out.ignore_parse_errors, options.GetBool("ignore-parse-errors", false));
  TM_RETURN_IF_ERROR(ReadMessageBytesMax(options, out.message_bytes_max));
  if (out.field_delimiter == '\n' || out.field_delimiter == '\r' || (out.quoting && out.field_delimiter == out.quote)) {
    return BadValue("field-delimiter", std::string(1, out.field_delimiter),
                    "neither a line end nor the quote character");
  }
  return out;
}

Result<RawOptions> ParseRawOptions(const Config& options) {
  TM_RETURN_IF_ERROR(CheckNames("raw", options, {"charset", "endianness"}));
  RawOptions out;
  const std::string charset = options.GetString("charset", "UTF-8");
  if (charset != "UTF-8" && charset != "utf-8") return BadValue("charset", charset, "UTF-8");
  const std::string endianness = options.GetString("endianness", "big-endian");
  if (endianness != "big-endian" && endianness != "little-endian")
    return BadValue("endianness", endianness, "big-endian or little-endian");
  out.big_endian = endianness == "big-endian";
  return out;
}

Result<AvroOptions> ParseAvroOptions(const Config& options) {
  TM_RETURN_IF_ERROR(CheckNames("avro", options, {"encoding", "timestamp_mapping.legacy", "message-bytes-max"}));
  AvroOptions out;
  const std::string encoding = options.GetString("encoding", "binary");
  if (encoding != "binary") return BadValue("encoding", encoding, "binary");
  TM_ASSIGN_OR_RETURN(out.legacy_timestamps, options.GetBool("timestamp_mapping.legacy", true));
  TM_RETURN_IF_ERROR(ReadMessageBytesMax(options, out.message_bytes_max));
  return out;
}

Result<AvroOptions> ParseConfluentAvroOptions(const Config& options, std::string_view format) {
  std::vector<std::string> known = {"timestamp_mapping.legacy", "message-bytes-max"};
  known.insert(known.end(), std::begin(kRegistryOptions), std::end(kRegistryOptions));
  TM_RETURN_IF_ERROR(CheckNames(format, options, known));
  AvroOptions out;
  TM_ASSIGN_OR_RETURN(out.legacy_timestamps, options.GetBool("timestamp_mapping.legacy", true));
  TM_RETURN_IF_ERROR(ReadMessageBytesMax(options, out.message_bytes_max));
  TM_ASSIGN_OR_RETURN(out.registry, ReadRegistryOptions(options));
  return out;
}

namespace {

Status ReadProtobufOptions(const Config& options, ProtobufOptions& out) {
  out.message_name = options.GetString("message-name", "");
  // Java's name of the same: the message's own name comes last.
  if (const auto of_class = options.Get("message-class-name"); of_class && out.message_name.empty())
    out.message_name = of_class->substr(of_class->find_last_of(".$") + 1);
  TM_ASSIGN_OR_RETURN(out.ignore_parse_errors, options.GetBool("ignore-parse-errors", false));
  TM_ASSIGN_OR_RETURN(out.read_default_values, options.GetBool("read-default-values", false));
  out.null_string_literal = options.GetString("write-null-string-literal", "");
  return ReadMessageBytesMax(options, out.message_bytes_max);
}

}  // namespace

Result<ProtobufOptions> ParseProtobufOptions(const Config& options) {
  TM_RETURN_IF_ERROR(CheckNames("protobuf", options,
                                {"message-name", "message-class-name", "schema", "schema-file", "ignore-parse-errors",
                                 "read-default-values", "write-null-string-literal", "message-bytes-max"}));
  ProtobufOptions out;
  TM_RETURN_IF_ERROR(ReadProtobufOptions(options, out));
  out.registry.schema = options.GetString("schema", "");
  if (out.registry.schema.empty() != options.Has("schema-file")) {
    return Status(kInvalidFormatOption,
                  "format 'protobuf' needs 'protobuf.schema' (the text of a .proto file) or "
                  "'protobuf.schema-file', one of them")
        .WithHint(
            "a file's name ends in .proto; any other is one that protoc wrote: "
            "protoc --include_imports --descriptor_set_out=FILE");
  }
  return out;
}

Result<ProtobufOptions> ParseConfluentProtobufOptions(const Config& options) {
  std::vector<std::string> known = {"message-name", "ignore-parse-errors", "read-default-values",
                                    "write-null-string-literal", "message-bytes-max"};
  known.insert(known.end(), std::begin(kRegistryOptions), std::end(kRegistryOptions));
  TM_RETURN_IF_ERROR(CheckNames("protobuf-confluent", options, known));
  ProtobufOptions out;
  TM_RETURN_IF_ERROR(ReadProtobufOptions(options, out));
  TM_ASSIGN_OR_RETURN(out.registry, ReadRegistryOptions(options));
  return out;
}

Result<DebeziumJsonOptions> ParseDebeziumJsonOptions(const Config& options) {
  TM_RETURN_IF_ERROR(
      CheckNames("debezium-json", options,
                 {"schema-include", "ignore-parse-errors", "timestamp-format.standard", "map-null-key.mode",
                  "map-null-key.literal", "encode.decimal-as-plain-number", "encode.ignore-null-fields",
                  "integer-time-unit", "decimal-encoding", "message-bytes-max"}));
  DebeziumJsonOptions out;
  TM_ASSIGN_OR_RETURN(out.schema_include, options.GetBool("schema-include", false));
  for (const auto& [key, value] : options.values()) {
    if (key != "schema-include" && key != "integer-time-unit" && key != "decimal-encoding") out.encode.Set(key, value);
  }
  TM_ASSIGN_OR_RETURN(out.json, ParseJsonOptions(out.encode));
  JsonCoding& coding = out.json.coding;
  coding.days = true;
  coding.variable_decimal = true;
  const std::string unit = options.GetString("integer-time-unit", "");
  if (unit == "millis") {
    coding.timestamp = coding.time = EpochUnit::kMillis;
  } else if (unit == "micros") {
    coding.timestamp = coding.time = EpochUnit::kMicros;
  } else if (unit == "nanos") {
    coding.timestamp = coding.time = EpochUnit::kNanos;
  } else if (!unit.empty()) {
    return BadValue("integer-time-unit", unit, "millis, micros or nanos");
  }
  const std::string decimal = options.GetString("decimal-encoding", "text");
  if (decimal != "text" && decimal != "base64") return BadValue("decimal-encoding", decimal, "text or base64");
  coding.base64_decimal = decimal == "base64";
  return out;
}

Result<ConfluentJsonOptions> ParseConfluentJsonOptions(const Config& options) {
  ConfluentJsonOptions out;
  Config of_registry;
  for (const auto& [key, value] : options.values()) {
    const bool known =
        std::find(std::begin(kRegistryOptions), std::end(kRegistryOptions), key) != std::end(kRegistryOptions);
    (known ? of_registry : out.json).Set(key, value);
  }
  TM_RETURN_IF_ERROR(ParseJsonOptions(out.json).status());
  TM_ASSIGN_OR_RETURN(out.registry, ReadRegistryOptions(of_registry));
  return out;
}

}  // namespace tidemill
