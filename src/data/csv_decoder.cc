#include <algorithm>

#include <arrow/record_batch.h>

#include "data/arrow_status.h"
#include "data/format.h"
#include "data/internal/column_writer.h"
#include "data/internal/csv_record.h"
#include "data/internal/format_options.h"
#include "data/internal/json_reader.h"
#include "data/internal/utf8.h"

namespace tidemill {
namespace {

bool IsFlat(const DataType& type) { return type.children().empty(); }

// A field that is empty is NULL, except in a text column, where it is the empty string (as Flink has it);
// 'null-literal' is NULL everywhere.
class CsvDecoder final : public RowDecoder {
 public:
  CsvDecoder(Schema schema, CsvOptions options, std::vector<int> column_of_field)
      : schema_(std::move(schema)), options_(std::move(options)), column_of_field_(std::move(column_of_field)) {
    writers_.reserve(static_cast<size_t>(schema_.num_fields()));
    for (const Field& field : schema_.fields()) writers_.emplace_back(field.type);
  }

  Result<Output> Decode(std::span<const EncodedRow> input, RejectSink& rejects) override {
    Output output;
    output.input_index.reserve(input.size());
    for (ColumnWriter& writer : writers_) TM_RETURN_IF_ERROR(writer.Reserve(static_cast<int64_t>(input.size())));
    int64_t rows = 0;
    for (size_t i = 0; i < input.size(); ++i) {
      std::string_view record = input[i].bytes;
      if (!record.empty() && record.back() == '\r') record.remove_suffix(1);
      if (options_.allow_comments && !record.empty() && record[0] == '#') continue;
      error_ = {};
      if (ReadRecord(record, rows)) {
        ++rows;
        output.input_index.push_back(static_cast<int32_t>(i));
        continue;
      }
      RejectedRow rejected{
          .reason = error_.reason, .source = source_, .partition = partition_, .offset = input[i].offset};
      rejected.field = error_.field;
      rejected.detail = error_.detail;
      rejected.raw = std::string(input[i].bytes.substr(0, kRejectRawBytesMax));
      rejects.Reject(std::move(rejected));
    }
    arrow::ArrayVector columns;
    for (ColumnWriter& writer : writers_) {
      TM_ASSIGN_OR_RETURN(auto column, writer.Finish(rows));
      columns.push_back(std::move(column));
    }
    output.rows = arrow::RecordBatch::Make(schema_.arrow(), rows, std::move(columns));
    return output;
  }

 private:
  bool Fail(RejectReason reason, std::string field, std::string detail) {
    error_ = {reason, std::move(field), std::move(detail)};
    return false;
  }

  bool ReadRecord(std::string_view record, int64_t row) {
    if (static_cast<int64_t>(record.size()) > options_.message_bytes_max) {
      return Fail(RejectReason::kTooLarge, "",
                  "the record has " + std::to_string(record.size()) + " bytes, more than " +
                      std::to_string(options_.message_bytes_max) + " ('csv.message-bytes-max')");
    }
    if (!IsValidUtf8(record)) return Fail(RejectReason::kInvalidUtf8, "", "the record is not valid UTF-8");
    CsvRecord fields(record, options_);
    size_t count = 0;
    std::string_view text;
    bool quoted = false;
    for (;; ++count) {
      const CsvRecord::Next next = fields.Read(text, quoted);
      if (next == CsvRecord::Next::kEnd) break;
      if (next == CsvRecord::Next::kBadQuote) {
        return Fail(RejectReason::kMalformed, "",
                    "field " + std::to_string(count + 1) + " has a quote that is not closed before its end");
      }
      if (count >= column_of_field_.size()) continue;
      const int column = column_of_field_[count];
      if (column >= 0 && !ReadField(column, row, text, quoted)) return false;
    }
    if (count == column_of_field_.size()) return true;
    return Fail(RejectReason::kMalformed, "",
                "expected " + std::to_string(column_of_field_.size()) + " fields, found " + std::to_string(count));
  }

  bool ReadField(int column, int64_t row, std::string_view text, bool quoted) {
    ColumnWriter& writer = writers_[static_cast<size_t>(column)];
    const bool is_text = writer.kind() == TypeKind::kString;
    const bool is_null = (options_.has_null_literal && !quoted && text == options_.null_literal) ||
                         (!is_text && TrimAsJava(text).empty());
    if (is_null) {
      if (!writer.type().nullable())
        return Fail(RejectReason::kNotNull, schema_.field(column).name, "empty field in a NOT NULL column");
      writer.SetNull(row);
      return true;
    }
    const Conversion outcome =
        writer.kind() == TypeKind::kArray ? ReadList(writer, row, text) : writer.FromText(row, text, TimeSyntax::kAny);
    if (outcome == Conversion::kOk) return true;
    if (options_.ignore_parse_errors && writer.type().nullable()) {
      writer.SetNull(row);
      return true;
    }
    const std::string type = writer.type().WithNullable(true).ToString();
    const std::string shown = "\"" + std::string(text.substr(0, 64)) + (text.size() > 64 ? "...\"" : "\"");
    if (outcome == Conversion::kOutOfRange) {
      return Fail(RejectReason::kOutOfRange, schema_.field(column).name, shown + " is out of range for " + type);
    }
    return Fail(RejectReason::kWrongType, schema_.field(column).name, "expected " + type + ", found " + shown);
  }

  Conversion ReadList(ColumnWriter& writer, int64_t row, std::string_view text) {
    ColumnWriter& element = writer.children()[0];
    const int64_t start = writer.ListStart(row);
    int64_t count = 0;
    while (!text.empty() || count > 0) {
      const size_t cut = text.find(options_.array_element_delimiter);
      const std::string_view part = text.substr(0, cut);
      if (!element.Reserve(start + count + 1).ok()) return Conversion::kOutOfRange;
      const bool is_null = (options_.has_null_literal && part == options_.null_literal) ||
                           (element.kind() != TypeKind::kString && TrimAsJava(part).empty());
      if (is_null) {
        element.SetNull(start + count);
      } else if (const Conversion outcome = element.FromText(start + count, part, TimeSyntax::kAny);
                 outcome != Conversion::kOk) {
        return outcome;
      }
      ++count;
      if (cut == std::string_view::npos) break;
      text.remove_prefix(cut + options_.array_element_delimiter.size());
    }
    if (!element.Reserve(start + count).ok()) return Conversion::kOutOfRange;
    writer.EndList(row, count);
    return Conversion::kOk;
  }

  Schema schema_;
  CsvOptions options_;
  std::vector<int> column_of_field_;  // -1: not wanted
  std::vector<ColumnWriter> writers_;
  JsonError error_;
};

}  // namespace

Result<std::unique_ptr<RowDecoder>> MakeCsvDecoder(const Schema& schema, const Config& options) {
  return MakeCsvDecoder(schema, options, schema.names());
}

Result<std::unique_ptr<RowDecoder>> MakeCsvDecoder(const Schema& schema, const Config& options,
                                                   const std::vector<std::string>& file_columns) {
  TM_ASSIGN_OR_RETURN(CsvOptions parsed, ParseCsvOptions(options));
  std::vector<int> column_of_field(file_columns.size(), -1);
  for (int c = 0; c < schema.num_fields(); ++c) {
    const Field& field = schema.field(c);
    const bool list_of_flat = field.type.kind() == TypeKind::kArray && IsFlat(field.type.children()[0].type);
    if (!IsFlat(field.type) && !list_of_flat) {
      return Status(kUnsupportedType, "column '" + field.name + "': CSV has no " + field.type.ToString());
    }
    const auto found = std::find(file_columns.begin(), file_columns.end(), field.name);
    if (found == file_columns.end()) {
      return Status(kInvalidFormatOption, "the CSV has no column '" + field.name + "'");
    }
    column_of_field[static_cast<size_t>(found - file_columns.begin())] = c;
  }
  std::unique_ptr<RowDecoder> decoder =
      std::make_unique<CsvDecoder>(schema, std::move(parsed), std::move(column_of_field));
  return decoder;
}

Result<std::vector<std::string>> SplitCsvRecord(std::string_view record, const Config& options) {
  TM_ASSIGN_OR_RETURN(const CsvOptions parsed, ParseCsvOptions(options));
  if (!record.empty() && record.back() == '\r') record.remove_suffix(1);
  CsvRecord fields(record, parsed);
  std::vector<std::string> out;
  std::string_view text;
  bool quoted = false;
  for (;;) {
    switch (fields.Read(text, quoted)) {
      case CsvRecord::Next::kField:
        out.emplace_back(text);
        break;
      case CsvRecord::Next::kEnd:
        return out;
      case CsvRecord::Next::kBadQuote:
        return Status(kInvalidFormatOption, "a quote is not closed in: " + std::string(record.substr(0, 64)));
    }
  }
}

}  // namespace tidemill
