#include "data/avro/avro_table_schema.h"

#include <algorithm>

#include <fmt/format.h>

#include "data/errors.h"

namespace tidemill {
namespace {

constexpr std::string_view kRecordName = "org.apache.flink.avro.generated.record";

bool IsFieldName(std::string_view name) {
  const auto letter = [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; };
  return !name.empty() && letter(name[0]) &&
         std::all_of(name.begin(), name.end(), [&](char c) { return letter(c) || (c >= '0' && c <= '9'); });
}

std::string Annotated(std::string_view type, std::string_view logical) {
  return fmt::format(R"({{"type":"{}","logicalType":"{}"}})", type, logical);
}

class AvroSchemaDeriver {
 public:
  explicit AvroSchemaDeriver(bool legacy_timestamps) : legacy_timestamps_(legacy_timestamps) {}

  Result<std::string> Record(const std::vector<Field>& fields, const std::string& name, const std::string& place) {
    std::string out = fmt::format(R"({{"type":"record","name":"{}","fields":[)", name);
    for (size_t i = 0; i < fields.size(); ++i) {
      const Field& field = fields[i];
      const std::string path = place.empty() ? field.name : place + "." + field.name;
      if (!IsFieldName(field.name)) {
        return Status(kUnsupportedType,
                      fmt::format("column '{}': Avro's names are letters, digits and '_', no digit first", path));
      }
      TM_ASSIGN_OR_RETURN(const std::string type, Type(field.type, name + "_" + field.name, path));
      out += fmt::format(R"({}{{"name":"{}","type":{}{}}})", i == 0 ? "" : ",", field.name, type,
                         field.type.nullable() ? R"(,"default":null)" : "");
    }
    return out + "]}";
  }

 private:
  Result<std::string> Type(const DataType& type, const std::string& name, const std::string& place) {
    TM_ASSIGN_OR_RETURN(std::string text, NotNull(type, name, place));
    return type.nullable() && type.kind() != TypeKind::kNull ? R"(["null",)" + text + "]" : text;
  }

  Result<std::string> NotNull(const DataType& type, const std::string& name, const std::string& place) {
    switch (type.kind()) {
      case TypeKind::kNull:
        return std::string(R"("null")");
      case TypeKind::kBoolean:
        return std::string(R"("boolean")");
      case TypeKind::kTinyInt:
      case TypeKind::kSmallInt:
      case TypeKind::kInt:
        return std::string(R"("int")");
      case TypeKind::kBigInt:
        return std::string(R"("long")");
      case TypeKind::kFloat:
        return std::string(R"("float")");
      case TypeKind::kDouble:
        return std::string(R"("double")");
      case TypeKind::kString:
        return std::string(R"("string")");
      case TypeKind::kBytes:
        return std::string(R"("bytes")");
      case TypeKind::kDecimal:
        return fmt::format(R"({{"type":"bytes","logicalType":"decimal","precision":{},"scale":{}}})", type.precision(),
                           type.scale());
      case TypeKind::kDate:
        return Annotated("int", "date");
      case TypeKind::kTime:
        return Annotated("int", "time-millis");
      case TypeKind::kTimestamp:
      case TypeKind::kTimestampLtz: {
        const bool local = type.kind() == TypeKind::kTimestamp && !legacy_timestamps_;
        const std::string_view unit = type.precision() <= 3 ? "millis" : type.precision() <= 6 ? "micros" : "nanos";
        return Annotated("long", fmt::format("{}timestamp-{}", local ? "local-" : "", unit));
      }
      case TypeKind::kRow:
        return Record(type.children(), name, place);
      case TypeKind::kArray: {
        TM_ASSIGN_OR_RETURN(const std::string items, Type(type.children()[0].type, name, place + "[]"));
        return fmt::format(R"({{"type":"array","items":{}}})", items);
      }
      case TypeKind::kMap:
      case TypeKind::kMultiset: {
        if (type.children()[0].type.kind() != TypeKind::kString)
          return Unsupported(type, place, "the keys of Avro's maps are text");
        const DataType value =
            type.kind() == TypeKind::kMap ? type.children()[1].type : DataType(TypeKind::kInt, false);
        TM_ASSIGN_OR_RETURN(const std::string values, Type(value, name, place + "{}"));
        return fmt::format(R"({{"type":"map","values":{}}})", values);
      }
      default:
        return Unsupported(type, place, "Avro has no such type");
    }
  }

  static Status Unsupported(const DataType& type, const std::string& place, std::string_view why) {
    return Status(kUnsupportedType, fmt::format("column '{}' is {}: {}", place, type.ToString(), why));
  }

  const bool legacy_timestamps_;
};

}  // namespace

Result<std::string> AvroSchemaOfTable(const Schema& table, bool legacy_timestamps) {
  return AvroSchemaDeriver(legacy_timestamps).Record(table.fields(), std::string(kRecordName), "");
}

}  // namespace tidemill
