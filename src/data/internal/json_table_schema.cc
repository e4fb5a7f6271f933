#include "data/internal/json_table_schema.h"

#include <fmt/format.h>

#include "data/errors.h"
#include "data/internal/json_text.h"

namespace tidemill {
namespace {

Result<std::string> JsonSchemaOf(const DataType& type, const std::string& place);

Result<std::string> ObjectOf(const std::vector<Field>& fields, const std::string& place) {
  std::string properties;
  std::string required;
  for (const Field& field : fields) {
    std::string name;
    AppendJsonString(field.name, name);
    TM_ASSIGN_OR_RETURN(const std::string type,
                        JsonSchemaOf(field.type, place.empty() ? field.name : place + "." + field.name));
    properties += fmt::format("{}{}:{}", properties.empty() ? "" : ",", name, type);
    if (!field.type.nullable()) required += (required.empty() ? "" : ",") + name;
  }
  return fmt::format(R"("type":"object","additionalProperties":false,"properties":{{{}}}{})", properties,
                     required.empty() ? "" : ",\"required\":[" + required + "]");
}

// The members of the schema of a value.
Result<std::string> MembersOf(const DataType& type, const std::string& place) {
  switch (type.kind()) {
    case TypeKind::kNull:
      return std::string(R"("type":"null")");
    case TypeKind::kBoolean:
      return std::string(R"("type":"boolean")");
    case TypeKind::kTinyInt:
    case TypeKind::kSmallInt:
    case TypeKind::kInt:
    case TypeKind::kBigInt:
    case TypeKind::kIntervalDay:
    case TypeKind::kIntervalMonth:
      return std::string(R"("type":"integer")");
    case TypeKind::kDecimal:
      return std::string(R"("type":"number")");
    case TypeKind::kFloat:
    case TypeKind::kDouble:  // what JSON has no number for is a word
      return std::string(R"("type":["number","string"])");
    case TypeKind::kString:
    case TypeKind::kTimestamp:
    case TypeKind::kTimestampLtz:
      return std::string(R"("type":"string")");
    case TypeKind::kBytes:
      return std::string(R"("type":"string","contentEncoding":"base64")");
    case TypeKind::kDate:
      return std::string(R"("type":"string","format":"date")");
    case TypeKind::kTime:
      return std::string(R"("type":"string")");
    case TypeKind::kRow:
      return ObjectOf(type.children(), place);
    case TypeKind::kArray: {
      TM_ASSIGN_OR_RETURN(const std::string items, JsonSchemaOf(type.children()[0].type, place + "[]"));
      return fmt::format(R"("type":"array","items":{})", items);
    }
    case TypeKind::kMap:
    case TypeKind::kMultiset: {
      if (type.children()[0].type.kind() != TypeKind::kString)
        return Status(kUnsupportedType, fmt::format("column '{}': the keys of JSON's objects are text", place));
      const DataType value = type.kind() == TypeKind::kMap ? type.children()[1].type : DataType(TypeKind::kInt, false);
      TM_ASSIGN_OR_RETURN(const std::string values, JsonSchemaOf(value, place + "{}"));
      return fmt::format(R"("type":"object","additionalProperties":{})", values);
    }
  }
  return Status(kUnsupportedType, fmt::format("column '{}': JSON has no {}", place, type.ToString()));
}

Result<std::string> JsonSchemaOf(const DataType& type, const std::string& place) {
  TM_ASSIGN_OR_RETURN(const std::string members, MembersOf(type, place));
  if (type.nullable() && type.kind() != TypeKind::kNull)
    return fmt::format(R"({{"oneOf":[{{"type":"null"}},{{{}}}]}})", members);
  return "{" + members + "}";
}

}  // namespace

Result<std::string> JsonSchemaOfTable(const Schema& table) {
  TM_ASSIGN_OR_RETURN(const std::string members, ObjectOf(table.fields(), ""));
  return fmt::format(R"({{"$schema":"http://json-schema.org/draft-07/schema#","title":"record",{}}})", members);
}

}  // namespace tidemill
