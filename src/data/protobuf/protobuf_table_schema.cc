#include "data/protobuf/protobuf_table_schema.h"

#include <algorithm>
#include <set>

#include <fmt/format.h>

#include "data/errors.h"

namespace tidemill {
namespace {

bool IsProtobufLetter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; }
bool IsProtobufDigit(char c) { return c >= '0' && c <= '9'; }

bool IsProtobufName(std::string_view name) {
  return !name.empty() && IsProtobufLetter(name[0]) &&
         std::all_of(name.begin(), name.end(), [](char c) { return IsProtobufLetter(c) || IsProtobufDigit(c); });
}

std::string ProtobufNameOf(std::string_view text) {
  std::string out(text.empty() || IsProtobufDigit(text[0]) ? "_" : "");
  for (char c : text) out += IsProtobufLetter(c) || IsProtobufDigit(c) ? c : '_';
  return out;
}

class ProtobufSchemaDeriver {
 public:
  Result<std::string> Message(const std::vector<Field>& fields, const std::string& name, const std::string& place,
                              const std::string& indent) {
    std::string nested;
    std::string body;
    for (size_t i = 0; i < fields.size(); ++i) {
      const Field& field = fields[i];
      const std::string path = place.empty() ? field.name : place + "." + field.name;
      if (!IsProtobufName(field.name)) {
        return Status(kUnsupportedType,
                      fmt::format("column '{}': Protobuf's names are letters, digits and '_', no digit first", path));
      }
      const TypeKind kind = field.type.kind();
      std::string type;
      std::string label;
      if (kind == TypeKind::kMap || kind == TypeKind::kMultiset) {
        TM_ASSIGN_OR_RETURN(type, MapType(field, path, indent, nested));
      } else if (kind == TypeKind::kArray) {
        label = "repeated ";
        TM_ASSIGN_OR_RETURN(type, Type(field.type.children()[0].type, field.name, path + "[]", indent, nested));
      } else {
        // Messages are there or not by themselves.
        TM_ASSIGN_OR_RETURN(type, Type(field.type, field.name, path, indent, nested));
        if (field.type.nullable() && type.find('.') == std::string::npos && kind != TypeKind::kRow) label = "optional ";
      }
      body += fmt::format("{}  {}{} {} = {};\n", indent, label, type, field.name, Number(i));
    }
    return fmt::format("{}message {} {{\n{}{}{}}}\n", indent, name, nested, body, indent);
  }

  const std::set<std::string>& imports() const { return imports_; }

 private:
  // 19000 to 19999 are Protobuf's own.
  static size_t Number(size_t place) { return place + 1 < 19'000 ? place + 1 : place + 1'001; }

  Result<std::string> MapType(const Field& field, const std::string& path, const std::string& indent,
                              std::string& nested) {
    const DataType& key = field.type.children()[0].type;
    if (key.kind() != TypeKind::kString && key.kind() != TypeKind::kBoolean && !key.IsInteger())
      return Unsupported(field.type, path, "the keys of Protobuf's maps are text, whole numbers or BOOLEAN");
    const DataType value =
        field.type.kind() == TypeKind::kMap ? field.type.children()[1].type : DataType(TypeKind::kInt, false);
    TM_ASSIGN_OR_RETURN(const std::string key_type, Type(key, field.name, path, indent, nested));
    TM_ASSIGN_OR_RETURN(const std::string value_type, Type(value, field.name, path + "{}", indent, nested));
    return fmt::format("map<{}, {}>", key_type, value_type);
  }

  std::string Imported(const std::string& file, const std::string& type) {
    imports_.insert(file);
    return "." + type;
  }

  Result<std::string> Type(const DataType& type, const std::string& name, const std::string& path,
                           const std::string& indent, std::string& nested) {
    switch (type.kind()) {
      case TypeKind::kBoolean:
        return std::string("bool");
      case TypeKind::kTinyInt:
      case TypeKind::kSmallInt:
      case TypeKind::kInt:
        return std::string("int32");
      case TypeKind::kBigInt:
        return std::string("int64");
      case TypeKind::kFloat:
        return std::string("float");
      case TypeKind::kDouble:
        return std::string("double");
      case TypeKind::kString:
        return std::string("string");
      case TypeKind::kBytes:
        return std::string("bytes");
      case TypeKind::kDecimal:
        return Imported("confluent/type/decimal.proto", "confluent.type.Decimal");
      case TypeKind::kDate:
        return Imported("google/type/date.proto", "google.type.Date");
      case TypeKind::kTime:
        return Imported("google/type/timeofday.proto", "google.type.TimeOfDay");
      case TypeKind::kTimestamp:
      case TypeKind::kTimestampLtz:
        return Imported("google/protobuf/timestamp.proto", "google.protobuf.Timestamp");
      case TypeKind::kIntervalDay:
        return Imported("google/protobuf/duration.proto", "google.protobuf.Duration");
      case TypeKind::kRow: {
        TM_ASSIGN_OR_RETURN(const std::string message, Message(type.children(), name + "_Row", path, indent + "  "));
        nested += message;
        return name + "_Row";
      }
      case TypeKind::kArray:
      case TypeKind::kMap:
      case TypeKind::kMultiset:
        return Unsupported(type, path, "Protobuf has lists and maps only as fields: put a ROW around it");
      default:
        return Unsupported(type, path, "Protobuf has no such type");
    }
  }

  static Status Unsupported(const DataType& type, const std::string& path, std::string_view why) {
    return Status(kUnsupportedType, fmt::format("column '{}' is {}: {}", path, type.ToString(), why));
  }

  std::set<std::string> imports_;
};

}  // namespace

Result<std::string> ProtobufSchemaOfTable(const Schema& table, const std::string& name) {
  ProtobufSchemaDeriver deriver;
  TM_ASSIGN_OR_RETURN(const std::string message, deriver.Message(table.fields(), ProtobufNameOf(name), "", ""));
  std::string out = "syntax = \"proto3\";\n";
  for (const std::string& import : deriver.imports()) out += fmt::format("import \"{}\";\n", import);
  return out + "\n" + message;
}

}  // namespace tidemill
