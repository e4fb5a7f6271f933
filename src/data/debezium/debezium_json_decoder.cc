#include <algorithm>

#include <arrow/record_batch.h>

#include "data/arrow_status.h"
#include "data/batch.h"
#include "data/debezium/connect_schema.h"
#include "data/debezium/envelope.h"
#include "data/format.h"
#include "data/internal/column_writer.h"
#include "data/internal/format_options.h"
#include "data/internal/json_messages.h"
#include "data/internal/json_reader.h"

namespace tidemill {
namespace {

constexpr size_t kAbsent = SIZE_MAX;

// Some columns that are read together from one object of the message.
struct ColumnsOfObject {
  std::vector<Field> fields;
  std::vector<ColumnWriter> writers;
  std::unique_ptr<JsonReader> reader;

  void Open(const JsonOptions& options) {
    for (const Field& field : fields) writers.emplace_back(field.type);
    reader = std::make_unique<JsonReader>(Schema(fields), writers, options);
  }
};

// Where the parts of the message at hand begin: structural characters.
struct EnvelopePlaces {
  size_t schema = kAbsent;
  size_t payload = kAbsent;
  size_t before = kAbsent;
  size_t after = kAbsent;
  size_t op = kAbsent;
  size_t source = kAbsent;
};

class DebeziumJsonDecoder final : public RowDecoder {
 public:
  DebeziumJsonDecoder(Schema schema, DebeziumJsonOptions options, const std::vector<std::string>& metadata_keys)
      : schema_(std::move(schema)), options_(std::move(options)) {
    for (int i = 0; i < schema_.num_fields(); ++i) {
      const std::string key = static_cast<size_t>(i) < metadata_keys.size() ? metadata_keys[i] : "";
      Field field = schema_.field(i);
      ColumnsOfObject* object = &rows_of_;
      if (key == "schema") {
        object = &texts_;
      } else if (key == "ingestion-timestamp" || key == "source.properties") {
        object = &envelope_;
        field.name = key == "source.properties" ? "source" : "ts_ms";
      } else if (!key.empty()) {
        object = &source_;
        field.name = key == "source.timestamp"  ? "ts_ms"
                     : key == "source.database" ? "db"
                     : key == "source.schema"   ? "schema"
                                                : "table";
      }
      places_.emplace_back(object, object->fields.size());
      object->fields.push_back(std::move(field));
    }
    rows_of_.Open(options_.json);
    JsonOptions of_metadata;
    of_metadata.coding.timestamp = EpochUnit::kMillis;
    for (ColumnsOfObject* object : {&envelope_, &source_, &texts_}) object->Open(of_metadata);
    reader_ = rows_of_.reader.get();
  }

  Result<Output> Decode(std::span<const EncodedRow> input, RejectSink& rejects) override {
    rejects_ = &rejects;
    input_ = input;
    rows_ = 0;
    TM_RETURN_IF_ERROR(ReserveRows(static_cast<int64_t>(input.size())));
    TM_RETURN_IF_ERROR(messages_.ForEach(input, options_.json.message_bytes_max, *this));
    Output output;
    arrow::ArrayVector columns;
    for (const auto& [object, number] : places_) {
      TM_ASSIGN_OR_RETURN(auto column, object->writers[number].Finish(rows_));
      columns.push_back(std::move(column));
    }
    output.rows = arrow::RecordBatch::Make(schema_.arrow(), rows_, std::move(columns));
    output.input_index = std::move(input_index_);
    output.row_kinds = std::move(row_kinds_);
    input_index_.clear();
    row_kinds_.clear();
    reserved_ = 0;
    return output;
  }

  // Of JsonMessages.
  void SetText(std::string_view text, const uint32_t* positions) {
    for (ColumnsOfObject* object : {&rows_of_, &envelope_, &source_}) object->reader->SetText(text, positions);
  }
  Result<bool> ReadMessage(size_t& at, uint32_t end, size_t message) {
    if (input_[message].bytes.empty()) return true;  // a tombstone, for compaction
    const int64_t rows_before = rows_;
    part_ = "";
    TM_ASSIGN_OR_RETURN(const bool good, DecodeMessage(at, end, message));
    if (good) return true;
    JsonError error = reader_->error();
    if (*part_ != 0) error.field = error.field.empty() ? part_ : std::string(part_) + "." + error.field;
    Refuse(message, error);
    rows_ = rows_before;
    input_index_.resize(static_cast<size_t>(rows_before));
    row_kinds_.resize(static_cast<size_t>(rows_before));
    return false;
  }
  void Refuse(size_t message, const JsonError& error) {
    const EncodedRow& row = input_[message];
    if (row.bytes.empty()) return;
    RejectedRow rejected{.reason = error.reason, .source = source_name(), .partition = partition_};
    rejected.offset = row.offset;
    rejected.field = error.field;
    rejected.detail = error.detail;
    rejected.raw = std::string(row.bytes.substr(0, kRejectRawBytesMax));
    rejects_->Reject(std::move(rejected));
  }

 private:
  const std::string& source_name() const { return RowDecoder::source_; }

  Status ReserveRows(int64_t rows) {
    if (rows <= reserved_) return Status::OK();
    reserved_ = std::max(rows, reserved_ * 2);
    for (ColumnsOfObject* object : {&rows_of_, &envelope_, &source_, &texts_}) {
      for (ColumnWriter& writer : object->writers) TM_RETURN_IF_ERROR(writer.Reserve(reserved_));
    }
    return Status::OK();
  }

  // False with reader_->error() set when the message is to be refused.
  Result<bool> DecodeMessage(size_t& at, uint32_t end, size_t message) {
    for (ColumnsOfObject* object : {&rows_of_, &envelope_, &source_}) object->reader->SetEnd(end);
    EnvelopePlaces places;
    if (!FindPlaces(at, places)) return false;
    if (!reader_->AtEnd(at)) return reader_->FailMalformed(at, "the end");
    if (options_.schema_include && places.payload != kAbsent && IsNull(places.payload)) return true;
    const DebeziumOp op = OpAt(places.op);
    if (const char* refusal = DebeziumRefusal(op, !IsNull(places.before), !IsNull(places.after))) {
      part_ = "op";
      return reader_->Fail(op == DebeziumOp::kUnknown ? RejectReason::kMalformed : RejectReason::kMissingField,
                           refusal);
    }
    if (places.schema != kAbsent && !UseSchema(places.schema)) return false;
    const DebeziumRows rows = RowsOfDebeziumOp(op);
    TM_RETURN_IF_ERROR(ReserveRows(rows_ + 2));
    if (rows.before && !AddRow(places, "before", places.before, rows.before_kind, message)) return false;
    if (rows.after && !AddRow(places, "after", places.after, rows.after_kind, message)) return false;
    return true;
  }

  bool FindPlaces(size_t& at, EnvelopePlaces& places) {
    size_t* const whole = options_.schema_include ? &places.payload : nullptr;
    bool has_payload = false;
    const auto note = [&](std::string_view key, size_t value_at) {
      if (key == "before") places.before = value_at;
      if (key == "after") places.after = value_at;
      if (key == "op") places.op = value_at;
      if (key == "source") places.source = value_at;
      has_payload = has_payload || key == "payload";
    };
    places.payload = at;
    if (whole == nullptr) {
      if (!reader_->ForEachMember(at, note)) return false;
    } else {
      *whole = kAbsent;
      if (!reader_->ForEachMember(at, [&](std::string_view key, size_t value_at) {
            if (key == "schema") places.schema = value_at;
            if (key == "payload") *whole = value_at;
          }))
        return false;
      if (*whole == kAbsent) {
        return reader_->Fail(
            RejectReason::kMissingField,
            "no 'payload': the message comes without its schema; set 'debezium-json.schema-include' = 'false'");
      }
      size_t inside = *whole;
      if (!IsNull(inside) && !reader_->ForEachMember(inside, note)) return false;
    }
    if (places.op != kAbsent || IsNull(places.payload)) return true;
    return reader_->Fail(
        RejectReason::kMissingField,
        has_payload ? "no 'op': the message comes with its schema; set 'debezium-json.schema-include' = 'true'"
                    : "no 'op': not a change of Debezium's (without its envelope it is read by the format 'json')");
  }

  bool IsNull(size_t at) const { return at == kAbsent || reader_->TokenAt(at) == "null"; }

  DebeziumOp OpAt(size_t at) const {
    const std::string_view token = reader_->TokenAt(at);
    return token.size() == 3 && token[0] == '"' ? DebeziumOpOf(token.substr(1, 1)) : DebeziumOp::kUnknown;
  }

  // The same schema comes with every message: it is looked at when it changes.
  bool UseSchema(size_t at) {
    if (IsNull(at)) {
      schema_text_.clear();
      return true;
    }
    if (!schema_text_.empty() && reader_->RestFrom(at).starts_with(schema_text_)) return true;
    std::string_view text;
    if (!reader_->TextOfValue(at, text)) return false;
    schema_text_ = text;
    const auto codings = CodingsOfConnectSchema(text, Schema(rows_of_.fields), options_.json.coding);
    for (size_t i = 0; i < codings.size(); ++i) reader_->SetCoding(i, codings[i]);
    return true;
  }

  bool AddRow(const EnvelopePlaces& places, const char* part, size_t at, RowKind kind, size_t message) {
    part_ = part;
    if (!reader_->ReadRow(rows_, at)) return false;
    part_ = "";
    if (!AddMetadata(places)) return false;
    ++rows_;
    input_index_.push_back(static_cast<int32_t>(message));
    row_kinds_.push_back(static_cast<int8_t>(kind));
    return true;
  }

  bool AddMetadata(const EnvelopePlaces& places) {
    if (!envelope_.fields.empty()) {
      size_t at = places.payload;
      if (!ReadObject(envelope_, at)) return false;
    }
    if (!source_.fields.empty()) {
      part_ = "source";
      size_t at = places.source;
      if (IsNull(at)) {
        for (ColumnWriter& writer : source_.writers) writer.SetNull(rows_);
      } else if (!ReadObject(source_, at)) {
        return false;
      }
      part_ = "";
    }
    for (ColumnWriter& writer : texts_.writers) {
      if (schema_text_.empty() || places.schema == kAbsent) {
        writer.SetNull(rows_);
      } else if (const Status status = writer.SetBytes(rows_, schema_text_); !status.ok()) {
        return reader_->Fail(RejectReason::kTooLarge, status.message());
      }
    }
    return true;
  }

  bool ReadObject(ColumnsOfObject& object, size_t at) {
    if (object.reader->ReadRow(rows_, at)) return true;
    const JsonError& error = object.reader->error();
    return reader_->Fail(error.reason, error.field + ": " + error.detail);
  }

  const Schema schema_;
  const DebeziumJsonOptions options_;
  ColumnsOfObject rows_of_;   // of 'before' and 'after'
  ColumnsOfObject envelope_;  // of the payload itself
  ColumnsOfObject source_;
  ColumnsOfObject texts_;                                    // the schema's text
  std::vector<std::pair<ColumnsOfObject*, size_t>> places_;  // of each column of schema_
  JsonReader* reader_ = nullptr;                             // of rows_of_
  JsonMessages messages_;
  std::string schema_text_;
  const char* part_ = "";  // of the message, for errors
  RejectSink* rejects_ = nullptr;
  std::span<const EncodedRow> input_;
  int64_t rows_ = 0;
  int64_t reserved_ = 0;
  std::vector<int32_t> input_index_;
  std::vector<int8_t> row_kinds_;
};

}  // namespace

Result<std::unique_ptr<RowDecoder>> MakeDebeziumJsonDecoder(const Schema& schema, const Config& options,
                                                            const FormatContext& context) {
  TM_ASSIGN_OR_RETURN(DebeziumJsonOptions parsed, ParseDebeziumJsonOptions(options));
  std::unique_ptr<RowDecoder> decoder =
      std::make_unique<DebeziumJsonDecoder>(schema, std::move(parsed), context.metadata_keys);
  return decoder;
}

}  // namespace tidemill
