#include <arrow/array.h>
#include <arrow/record_batch.h>

#include "data/errors.h"
#include "data/format.h"
#include "data/internal/format_options.h"
#include "data/internal/json_text.h"
#include "data/internal/value_text.h"

namespace tidemill {
namespace {

Status CheckEncodable(const std::string& name, const DataType& type) {
  const bool is_map = type.kind() == TypeKind::kMap || type.kind() == TypeKind::kMultiset;
  if (is_map && type.children()[0].type.kind() != TypeKind::kString) {
    return Status(kUnsupportedType, "column '" + name + "': JSON needs text keys, " + type.ToString() + " has others");
  }
  for (const Field& child : type.children()) TM_RETURN_IF_ERROR(CheckEncodable(name, child.type));
  return Status::OK();
}

class JsonEncoder final : public RowEncoder {
 public:
  JsonEncoder(Schema schema, JsonOptions options)
      : schema_(std::move(schema)), options_(std::move(options)), text_{options_.time_separator} {
    for (const Field& field : schema_.fields()) {
      std::string key;
      AppendJsonString(field.name, key);
      keys_.push_back(key + ":");
    }
  }

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
      out += '{';
      bool first = true;
      for (int c = 0; c < columns; ++c) {
        if (options_.ignore_null_fields && arrays[c]->IsNull(row)) continue;
        if (!first) out += ',';
        first = false;
        out += keys_[c];
        AppendValue(*arrays[c], schema_.field(c).type, row, out);
      }
      out += '}';
      ends.push_back(out.size());
    }
    return Status::OK();
  }

 private:
  void AppendValue(const arrow::Array& column, const DataType& type, int64_t i, std::string& out) {
    if (column.IsNull(i)) {
      out += "null";
      return;
    }
    switch (TextKindOf(type.kind())) {
      case TextKind::kBare:
        if (type.IsApproximate()) return AppendApproximate(column, type, i, out);
        return AppendValueText(column, type, i, text_, out);
      case TextKind::kQuoted:
        out += '"';
        AppendValueText(column, type, i, text_, out);
        out += '"';
        return;
      case TextKind::kEscaped:
        return AppendJsonString(static_cast<const arrow::StringArray&>(column).GetView(i), out);
      case TextKind::kNested:
        return AppendNested(column, type, i, out);
    }
  }

  // What JSON has no number for goes as a word in quotes.
  void AppendApproximate(const arrow::Array& column, const DataType& type, int64_t i, std::string& out) {
    const size_t begin = out.size();
    AppendValueText(column, type, i, text_, out);
    const char last = out.back();
    if (last == 'N' || last == 'y') {
      out.insert(begin, 1, '"');
      out += '"';
    }
  }

  void AppendNested(const arrow::Array& column, const DataType& type, int64_t i, std::string& out) {
    if (type.kind() == TypeKind::kRow) {
      const auto& row = static_cast<const arrow::StructArray&>(column);
      out += '{';
      bool first = true;
      for (int f = 0; f < row.num_fields(); ++f) {
        if (options_.ignore_null_fields && row.field(f)->IsNull(i)) continue;
        if (!first) out += ',';
        first = false;
        AppendJsonString(type.children()[f].name, out);
        out += ':';
        AppendValue(*row.field(f), type.children()[f].type, i, out);
      }
      out += '}';
      return;
    }
    if (type.kind() == TypeKind::kArray) {
      const auto& list = static_cast<const arrow::ListArray&>(column);
      out += '[';
      for (int64_t e = list.value_offset(i); e < list.value_offset(i + 1); ++e) {
        if (e > list.value_offset(i)) out += ',';
        AppendValue(*list.values(), type.children()[0].type, e, out);
      }
      out += ']';
      return;
    }
    const auto& map = static_cast<const arrow::MapArray&>(column);
    const DataType value_type = type.kind() == TypeKind::kMap ? type.children()[1].type : DataType(TypeKind::kInt);
    out += '{';
    bool first = true;
    for (int64_t e = map.value_offset(i); e < map.value_offset(i + 1); ++e) {
      if (!first) out += ',';
      first = false;
      AppendJsonString(static_cast<const arrow::StringArray&>(*map.keys()).GetView(e), out);
      out += ':';
      AppendValue(*map.items(), value_type, e, out);
    }
    out += '}';
  }

  Schema schema_;
  JsonOptions options_;
  ValueTextOptions text_;
  std::vector<std::string> keys_;
};

}  // namespace

Result<std::unique_ptr<RowEncoder>> MakeJsonEncoder(const Schema& schema, const Config& options) {
  TM_ASSIGN_OR_RETURN(JsonOptions parsed, ParseJsonOptions(options));
  for (const Field& field : schema.fields()) TM_RETURN_IF_ERROR(CheckEncodable(field.name, field.type));
  std::unique_ptr<RowEncoder> encoder = std::make_unique<JsonEncoder>(schema, std::move(parsed));
  return encoder;
}

}  // namespace tidemill
