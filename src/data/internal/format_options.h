#pragma once

#include <initializer_list>
#include <string>
#include <string_view>

#include "base/config.h"
#include "base/status.h"
#include "data/time_text.h"

namespace tidemill {

inline constexpr int64_t kMessageBytesMax = int64_t{8} << 20;

// How numbers stand for times; kRefused: they don't.
enum class EpochUnit : uint8_t { kRefused, kSeconds, kMillis, kMicros, kNanos };

// What values of JSON stand for that have no form of their own there.
struct JsonCoding {
  EpochUnit timestamp = EpochUnit::kRefused;  // numbers in TIMESTAMP columns, since 1970
  EpochUnit time = EpochUnit::kRefused;       // numbers in TIME columns, since midnight
  bool days = false;                          // numbers in DATE columns are days since 1970
  bool base64_decimal = false;    // text in DECIMAL columns is base64 of an integer, two's complement, big-endian
  int32_t decimal_scale = -1;     // digits of that integer behind the point; -1 = as many as the column has
  bool variable_decimal = false;  // objects in DECIMAL columns are such an integer with its scale
};

struct JsonOptions {
  bool fail_on_missing_field = false;
  bool ignore_parse_errors = false;
  TimeSyntax time_syntax = TimeSyntax::kAny;
  JsonCoding coding;
  char time_separator = ' ';  // encoding
  enum class NullKey : uint8_t { kFail, kDrop, kLiteral } null_key = NullKey::kFail;
  std::string null_key_literal = "null";
  bool decimal_as_plain_number = false;
  bool ignore_null_fields = false;
  int64_t message_bytes_max = kMessageBytesMax;
};
Result<JsonOptions> ParseJsonOptions(const Config& options);

// Whether a CSV file starts with a line of column names. Of files only: messages have none.
enum class CsvHeader : uint8_t { kAuto, kYes, kNo };

struct CsvOptions {
  CsvHeader header = CsvHeader::kAuto;
  char field_delimiter = ',';
  char quote = '"';
  bool quoting = true;
  char escape = 0;  // 0 = none
  bool has_null_literal = false;
  std::string null_literal;
  std::string array_element_delimiter = ";";
  bool allow_comments = false;
  bool ignore_parse_errors = false;
  int64_t message_bytes_max = kMessageBytesMax;
};
Result<CsvOptions> ParseCsvOptions(const Config& options);

struct RawOptions {
  bool big_endian = true;
};
Result<RawOptions> ParseRawOptions(const Config& options);

// Options of formats whose schemas a registry keeps. Those about how it is reached ('url', 'basic-auth.*', ...) are
// read where it is.
struct RegistryOptions {
  std::string subject;  // empty = by the topic's name
  std::string schema;   // empty = derived from the table
  bool auto_register = true;
  bool use_latest_version = false;
};

struct AvroOptions {
  // Flink's mapping of TIMESTAMP before it knew local timestamps: timestamp-millis. False: local-timestamp-*.
  bool legacy_timestamps = true;
  int64_t message_bytes_max = kMessageBytesMax;
  RegistryOptions registry;  // of 'avro-confluent'
};
Result<AvroOptions> ParseAvroOptions(const Config& options);
inline constexpr std::string_view kDebeziumAvro = "debezium-avro-confluent";
Result<AvroOptions> ParseConfluentAvroOptions(const Config& options, std::string_view format = "avro-confluent");

struct DebeziumJsonOptions {
  bool schema_include = false;
  JsonOptions json;
  Config encode;  // those of 'json' for writing, checked
};
Result<DebeziumJsonOptions> ParseDebeziumJsonOptions(const Config& options);

struct ProtobufOptions {
  std::string message_name;  // empty: the first of the file
  bool ignore_parse_errors = false;
  bool read_default_values = false;
  std::string null_string_literal;  // for NULL in lists and maps of text
  int64_t message_bytes_max = kMessageBytesMax;
  RegistryOptions registry;  // `schema` is of 'protobuf' too
};
Result<ProtobufOptions> ParseProtobufOptions(const Config& options);
Result<ProtobufOptions> ParseConfluentProtobufOptions(const Config& options);

struct ConfluentJsonOptions {
  Config json;  // those of 'json', checked
  RegistryOptions registry;
};
Result<ConfluentJsonOptions> ParseConfluentJsonOptions(const Config& options);

}  // namespace tidemill
