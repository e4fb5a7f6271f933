#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/config.h"
#include "base/status.h"
#include "data/batch.h"
#include "data/registered_schema.h"
#include "data/reject.h"
#include "data/schema.h"

namespace tidemill {

// One encoded message or line, with its place for rejects.
struct EncodedRow {
  std::string_view bytes;
  int64_t offset = 0;  // log offset or line number
};

// Bytes -> columns. One per split reader, not thread-safe, reused for every batch. Decodes only the columns of its
// schema.
class RowDecoder {
 public:
  virtual ~RowDecoder() = default;
  struct Output {
    std::shared_ptr<arrow::RecordBatch> rows;  // schema = the decoder's schema; as many rows as were good
    std::vector<int32_t> input_index;          // for each row, which input it came from (JSON arrays give several)
    std::vector<int8_t> row_kinds;             // RowKind of each row; empty = all +I
  };
  // A bad row goes to `rejects` (source and partition as set by SetOrigin) and is left out; the call fails only for our
  // own faults.
  virtual Result<Output> Decode(std::span<const EncodedRow> input, RejectSink& rejects) = 0;
  void SetOrigin(std::string source, int32_t partition) {
    source_ = std::move(source);
    partition_ = partition;
  }

 protected:
  std::string source_;
  int32_t partition_ = 0;
};

// Columns -> bytes. One per sink writer, not thread-safe.
class RowEncoder {
 public:
  virtual ~RowEncoder() = default;
  // Appends every row to `out`; `ends` is replaced: ends[i] is the end of row i in `out`. No newline. JSON: one object
  // a row; CSV: one line a row.
  virtual Status Encode(const Batch& batch, std::string& out, std::vector<size_t>& ends) = 0;
};

// Options are those of sql.md, with the format's prefix cut off: "ignore-parse-errors", "timestamp-format.standard",
// "field-delimiter", ... Unknown options are refused with the nearest name. `message_bytes_max` bounds one row (default
// 8 MiB).
Result<std::unique_ptr<RowDecoder>> MakeJsonDecoder(const Schema& schema, const Config& options);
Result<std::unique_ptr<RowEncoder>> MakeJsonEncoder(const Schema& schema, const Config& options);
// Columns by position.
Result<std::unique_ptr<RowDecoder>> MakeCsvDecoder(const Schema& schema, const Config& options);
// `file_columns` names the fields of a line in their order; the columns of `schema` are found there by name, other
// fields are skipped.
Result<std::unique_ptr<RowDecoder>> MakeCsvDecoder(const Schema& schema, const Config& options,
                                                   const std::vector<std::string>& file_columns);
// The fields of one record as text, without quotes: for header lines.
Result<std::vector<std::string>> SplitCsvRecord(std::string_view record, const Config& options);
// Appends the names as a record, quoted where they must be.
Status AppendCsvHeader(const Schema& schema, const Config& options, std::string& out);
Result<std::unique_ptr<RowEncoder>> MakeCsvEncoder(const Schema& schema, const Config& options);
Result<std::unique_ptr<RowDecoder>> MakeRawDecoder(const Schema& schema, const Config& options);
Result<std::unique_ptr<RowEncoder>> MakeRawEncoder(const Schema& schema, const Config& options);
// What formats may need of their place besides options. Formats that keep schemas in a registry refuse to be made
// without `schemas`.
struct FormatContext {
  std::shared_ptr<SchemaSource> schemas;
  std::string topic;  // of the messages; names the subjects "<topic>-value" and "<topic>-key"
  bool is_key = false;
  // All columns that the bytes have, in order, where the decoder is asked for fewer; absent = those.
  std::shared_ptr<const Schema> all_columns;
  // For each column of the decoder: the key of the format's metadata that it is, empty = a field. Absent = all fields.
  std::vector<std::string> metadata_keys;
};

// Avro's binary encoding (1.12). Without a header the schema is the table's, derived as Flink's 'avro' does. With one,
// Confluent's: a zero byte, the id of the writer's schema (4 bytes, big-endian), then the value.
// Decoding takes fields by name; added ones are skipped; missing ones take the default of the subject's newest schema
// (or of the option 'schema'), else NULL. Encoding registers the schema under the subject when the encoder is made.
Result<std::unique_ptr<RowDecoder>> MakeAvroDecoder(const Schema& schema, const Config& options,
                                                    const FormatContext& context);
Result<std::unique_ptr<RowEncoder>> MakeAvroEncoder(const Schema& schema, const Config& options,
                                                    const FormatContext& context);
Result<std::unique_ptr<RowDecoder>> MakeConfluentAvroDecoder(const Schema& schema, const Config& options,
                                                             const FormatContext& context);
Result<std::unique_ptr<RowEncoder>> MakeConfluentAvroEncoder(const Schema& schema, const Config& options,
                                                             const FormatContext& context);
// The same header before JSON; encoding registers the JSON Schema of what it writes.
Result<std::unique_ptr<RowDecoder>> MakeConfluentJsonDecoder(const Schema& schema, const Config& options,
                                                             const FormatContext& context);
Result<std::unique_ptr<RowEncoder>> MakeConfluentJsonEncoder(const Schema& schema, const Config& options,
                                                             const FormatContext& context);
// Protobuf messages (proto2, proto3). 'protobuf' has one schema: the option 'schema', or what `context.schemas` answers
// as the newest one (a file: see ProtobufFileSchema). With Confluent's header (id, and which message of the file it is)
// each message's schema is the writer's. Decoding takes fields by name in the writer's schema, by the number that the
// newest schema gives the name else; encoding registers the schema, derived from the table or given.
Result<std::unique_ptr<RowDecoder>> MakeProtobufDecoder(const Schema& schema, const Config& options,
                                                        const FormatContext& context);
Result<std::unique_ptr<RowEncoder>> MakeProtobufEncoder(const Schema& schema, const Config& options,
                                                        const FormatContext& context);
Result<std::unique_ptr<RowDecoder>> MakeConfluentProtobufDecoder(const Schema& schema, const Config& options,
                                                                 const FormatContext& context);
Result<std::unique_ptr<RowEncoder>> MakeConfluentProtobufEncoder(const Schema& schema, const Config& options,
                                                                 const FormatContext& context);
// The schema in a file's bytes: the text of a .proto file, or a FileDescriptorSet in which `message` (a full name; may
// be empty) is defined.
Result<ResolvedSchema> ProtobufFileSchema(std::string_view path, std::string_view bytes, std::string_view message);
// Debezium's envelopes of changes: {before, after, op, ts_ms, source}. 'c' and 'r' are +I, 'u' is -U and +U, 'd' is -D;
// a message without bytes and 'm' are nothing. What lacks the row from before is a reject. Written: +I and +U as 'c',
// -U and -D as 'd', as Flink does.
Result<std::unique_ptr<RowDecoder>> MakeDebeziumJsonDecoder(const Schema& schema, const Config& options,
                                                            const FormatContext& context);
Result<std::unique_ptr<RowEncoder>> MakeDebeziumJsonEncoder(const Schema& schema, const Config& options,
                                                            const FormatContext& context);
Result<std::unique_ptr<RowDecoder>> MakeDebeziumAvroDecoder(const Schema& schema, const Config& options,
                                                            const FormatContext& context);
Result<std::unique_ptr<RowEncoder>> MakeDebeziumAvroEncoder(const Schema& schema, const Config& options,
                                                            const FormatContext& context);
// By name: "json", "csv", "raw", "avro", "protobuf", "debezium-json", and with a registry "avro-confluent",
// "json-schema-confluent", "protobuf-confluent", "debezium-avro-confluent". kUnknownFormat lists what exists.
Result<std::unique_ptr<RowDecoder>> MakeRowDecoder(std::string_view format, const Schema& schema, const Config& options,
                                                   const FormatContext& context);
Result<std::unique_ptr<RowEncoder>> MakeRowEncoder(std::string_view format, const Schema& schema, const Config& options,
                                                   const FormatContext& context);
Result<std::unique_ptr<RowDecoder>> MakeRowDecoder(std::string_view format, const Schema& schema,
                                                   const Config& options);
Result<std::unique_ptr<RowEncoder>> MakeRowEncoder(std::string_view format, const Schema& schema,
                                                   const Config& options);
// Checks names and values of a format's options without making anything: for `tidemill check`.
Status ValidateFormatOptions(std::string_view format, const Config& options);
// Whether the format's messages may hold any byte, line ends too: they can't be lines of a file.
bool IsBinaryFormat(std::string_view format);
// Whether the format looks schemas up in a registry.
bool UsesSchemaRegistry(std::string_view format);
// Whether messages are changes with their rows from before: a table of them is read as +I, -U, +U and -D.
bool IsChangelogFormat(std::string_view format);
struct FormatMetadata {
  std::string_view key;
  DataType type;
};
// What the format's messages tell beside their fields. Connectors call it 'value.<key>'.
std::vector<FormatMetadata> FormatMetadataColumns(std::string_view format);
// Names of all row formats.
std::vector<std::string> RowFormats();

}  // namespace tidemill
