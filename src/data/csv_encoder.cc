#include <arrow/array.h>
#include <arrow/record_batch.h>

#include "data/errors.h"
#include "data/format.h"
#include "data/internal/format_options.h"
#include "data/internal/value_text.h"

namespace tidemill {
namespace {

bool NeedsQuotes(std::string_view text, const CsvOptions& options) {
  if (text.empty()) return true;  // NULL is the empty field without quotes
  if (text.front() == ' ' || text.back() == ' ' || text.front() == '#') return true;
  if (options.has_null_literal && text == options.null_literal) return true;
  for (const char c : text) {
    if (c == options.field_delimiter || c == options.quote || c == '\n' || c == '\r' ||
        (options.escape != 0 && c == options.escape))
      return true;
  }
  return false;
}

// Appends a text field, in quotes where they are needed; without quoting the escape character guards what must not
// split the record.
Status AppendField(std::string_view text, const CsvOptions& options, std::string& out) {
  if (options.quoting) {
    if (!NeedsQuotes(text, options)) {
      out += text;
      return Status::OK();
    }
    out += options.quote;
    for (const char c : text) {
      if (c == options.quote) out += options.escape != 0 ? options.escape : options.quote;
      if (options.escape != 0 && c == options.escape) out += options.escape;
      out += c;
    }
    out += options.quote;
    return Status::OK();
  }
  for (const char c : text) {
    if (c == '\n' || c == '\r')
      return Status(kInvalidFormatOption, "a text with a line end needs 'csv.disable-quote-character' = 'false'");
    if (c == options.field_delimiter || (options.escape != 0 && c == options.escape)) {
      if (options.escape == 0) {
        return Status(kInvalidFormatOption, "a text with the field delimiter needs quotes or 'csv.escape-character'");
      }
      out += options.escape;
    }
    out += c;
  }
  return Status::OK();
}

class CsvEncoder final : public RowEncoder {
 public:
  CsvEncoder(Schema schema, CsvOptions options) : schema_(std::move(schema)), options_(std::move(options)) {}

  Status Encode(const Batch& batch, std::string& out, std::vector<size_t>& ends) override {
    ends.clear();
    const int columns = schema_.num_fields();
    if (batch.rows->num_columns() != columns) {
      return Status(kInternalError, "expected " + std::to_string(columns) + " columns, found " +
                                        std::to_string(batch.rows->num_columns()));
    }
    std::vector<const arrow::Array*> arrays;
    for (const auto& column : batch.rows->columns()) arrays.push_back(column.get());
    for (int64_t row = 0; row < batch.num_rows(); ++row) {
      for (int c = 0; c < columns; ++c) {
        if (c > 0) out += options_.field_delimiter;
        const DataType& type = schema_.field(c).type;
        if (arrays[c]->IsNull(row)) {
          out += options_.null_literal;
        } else if (type.kind() == TypeKind::kString) {
          TM_RETURN_IF_ERROR(
              AppendField(static_cast<const arrow::StringArray&>(*arrays[c]).GetView(row), options_, out));
        } else if (type.kind() == TypeKind::kArray) {
          TM_RETURN_IF_ERROR(
              AppendList(static_cast<const arrow::ListArray&>(*arrays[c]), type.children()[0].type, row, out));
        } else {
          AppendValueText(*arrays[c], type, row, text_, out);
        }
      }
      ends.push_back(out.size());
    }
    return Status::OK();
  }

 private:
  Status AppendList(const arrow::ListArray& list, const DataType& element, int64_t row, std::string& out) {
    std::string joined;
    for (int64_t e = list.value_offset(row); e < list.value_offset(row + 1); ++e) {
      if (e > list.value_offset(row)) joined += options_.array_element_delimiter;
      if (list.values()->IsNull(e)) {
        joined += options_.null_literal;
      } else {
        AppendValueText(*list.values(), element, e, text_, joined);
      }
    }
    return AppendField(joined, options_, out);
  }

  Schema schema_;
  CsvOptions options_;
  ValueTextOptions text_;
};

}  // namespace

Result<std::unique_ptr<RowEncoder>> MakeCsvEncoder(const Schema& schema, const Config& options) {
  TM_ASSIGN_OR_RETURN(CsvOptions parsed, ParseCsvOptions(options));
  for (const Field& field : schema.fields()) {
    const bool list_of_flat = field.type.kind() == TypeKind::kArray && field.type.children()[0].type.children().empty();
    if (!field.type.children().empty() && !list_of_flat) {
      return Status(kUnsupportedType, "column '" + field.name + "': CSV has no " + field.type.ToString());
    }
  }
  std::unique_ptr<RowEncoder> encoder = std::make_unique<CsvEncoder>(schema, std::move(parsed));
  return encoder;
}

Status AppendCsvHeader(const Schema& schema, const Config& options, std::string& out) {
  TM_ASSIGN_OR_RETURN(const CsvOptions parsed, ParseCsvOptions(options));
  for (int c = 0; c < schema.num_fields(); ++c) {
    if (c > 0) out += parsed.field_delimiter;
    TM_RETURN_IF_ERROR(AppendField(schema.field(c).name, parsed, out));
  }
  return Status::OK();
}

}  // namespace tidemill
