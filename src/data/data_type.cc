#include "data/data_type.h"

#include <arrow/type.h>

#include "data/errors.h"

namespace tidemill {
namespace {

const std::vector<Field>& NoFields() {
  static const std::vector<Field> kNone;
  return kNone;
}

arrow::TimeUnit::type UnitOfPrecision(int precision) {
  if (precision <= 3) return arrow::TimeUnit::MILLI;
  return precision <= 6 ? arrow::TimeUnit::MICRO : arrow::TimeUnit::NANO;
}

int PrecisionOfUnit(arrow::TimeUnit::type unit) {
  switch (unit) {
    case arrow::TimeUnit::SECOND:
      return 0;
    case arrow::TimeUnit::MILLI:
      return 3;
    case arrow::TimeUnit::MICRO:
      return 6;
    case arrow::TimeUnit::NANO:
      return 9;
  }
  return 3;
}

std::string Quoted(const std::string& name) {
  std::string out = "`";
  for (char c : name) {
    out += c;
    if (c == '`') out += c;
  }
  return out + "`";
}

std::string NameWithoutNull(const DataType& type) {
  const auto child = [&type](int i) { return type.children()[i].type.ToString(); };
  switch (type.kind()) {
    case TypeKind::kNull:
      return "NULL";
    case TypeKind::kBoolean:
      return "BOOLEAN";
    case TypeKind::kTinyInt:
      return "TINYINT";
    case TypeKind::kSmallInt:
      return "SMALLINT";
    case TypeKind::kInt:
      return "INT";
    case TypeKind::kBigInt:
      return "BIGINT";
    case TypeKind::kFloat:
      return "FLOAT";
    case TypeKind::kDouble:
      return "DOUBLE";
    case TypeKind::kDecimal:
      return "DECIMAL(" + std::to_string(type.precision()) + ", " + std::to_string(type.scale()) + ")";
    case TypeKind::kString:
      return "STRING";
    case TypeKind::kBytes:
      return "BYTES";
    case TypeKind::kDate:
      return "DATE";
    case TypeKind::kTime:
      return "TIME";
    case TypeKind::kTimestamp:
      return "TIMESTAMP(" + std::to_string(type.precision()) + ")";
    case TypeKind::kTimestampLtz:
      return "TIMESTAMP_LTZ(" + std::to_string(type.precision()) + ")";
    case TypeKind::kIntervalDay:
      return "INTERVAL DAY TO SECOND";
    case TypeKind::kIntervalMonth:
      return "INTERVAL YEAR TO MONTH";
    case TypeKind::kArray:
      return "ARRAY<" + child(0) + ">";
    case TypeKind::kMap:
      return "MAP<" + child(0) + ", " + child(1) + ">";
    case TypeKind::kMultiset:
      return "MULTISET<" + child(0) + ">";
    case TypeKind::kRow: {
      std::string out = "ROW<";
      for (size_t i = 0; i < type.children().size(); ++i) {
        if (i > 0) out += ", ";
        out += Quoted(type.children()[i].name) + " " + child(static_cast<int>(i));
      }
      return out + ">";
    }
  }
  return "?";
}

Result<DataType> FromArrowList(const arrow::BaseListType& list, bool nullable) {
  TM_ASSIGN_OR_RETURN(DataType element, FromArrow(*list.value_type(), list.value_field()->nullable()));
  return DataType::Array(std::move(element), nullable);
}

Result<DataType> FromArrowDecimal(const arrow::DecimalType& decimal, bool nullable) {
  if (decimal.precision() > 38 || decimal.scale() < 0 || decimal.scale() > decimal.precision()) {
    return Status(kUnsupportedType,
                  "DECIMAL has precision 1 to 38 and scale 0 to precision, found " + decimal.ToString());
  }
  return DataType::Decimal(decimal.precision(), decimal.scale(), nullable);
}

}  // namespace

DataType DataType::Decimal(int precision, int scale, bool nullable) {
  DataType type(TypeKind::kDecimal, nullable);
  type.precision_ = static_cast<int16_t>(precision);
  type.scale_ = static_cast<int16_t>(scale);
  return type;
}

DataType DataType::Timestamp(int precision, bool nullable) {
  DataType type(TypeKind::kTimestamp, nullable);
  type.precision_ = static_cast<int16_t>(precision);
  return type;
}

DataType DataType::TimestampLtz(int precision, bool nullable) {
  DataType type(TypeKind::kTimestampLtz, nullable);
  type.precision_ = static_cast<int16_t>(precision);
  return type;
}

DataType DataType::Array(DataType element, bool nullable) {
  DataType type(TypeKind::kArray, nullable);
  type.children_ = std::make_shared<const std::vector<Field>>(std::vector<Field>{{"element", std::move(element)}});
  return type;
}

DataType DataType::Map(DataType key, DataType value, bool nullable) {
  DataType type(TypeKind::kMap, nullable);
  type.children_ = std::make_shared<const std::vector<Field>>(
      std::vector<Field>{{"key", std::move(key)}, {"value", std::move(value)}});
  return type;
}

DataType DataType::Multiset(DataType element, bool nullable) {
  DataType type(TypeKind::kMultiset, nullable);
  type.children_ = std::make_shared<const std::vector<Field>>(std::vector<Field>{{"element", std::move(element)}});
  return type;
}

DataType DataType::Row(std::vector<Field> fields, bool nullable) {
  DataType type(TypeKind::kRow, nullable);
  type.children_ = std::make_shared<const std::vector<Field>>(std::move(fields));
  return type;
}

const std::vector<Field>& DataType::children() const { return children_ ? *children_ : NoFields(); }

DataType DataType::WithNullable(bool nullable) const {
  DataType type = *this;
  type.nullable_ = nullable;
  return type;
}

bool DataType::operator==(const DataType& other) const {
  return kind_ == other.kind_ && nullable_ == other.nullable_ && precision_ == other.precision_ &&
         scale_ == other.scale_ && (children_ == other.children_ || children() == other.children());
}

bool DataType::SameAs(const DataType& other) const {
  if (kind_ != other.kind_ || precision_ != other.precision_ || scale_ != other.scale_) return false;
  if (children_ == other.children_) return true;
  const auto& left = children();
  const auto& right = other.children();
  if (left.size() != right.size()) return false;
  for (size_t i = 0; i < left.size(); ++i) {
    if (left[i].name != right[i].name || !left[i].type.SameAs(right[i].type)) return false;
  }
  return true;
}

std::string DataType::ToString() const {
  std::string out = NameWithoutNull(*this);
  if (!nullable_) out += " NOT NULL";
  return out;
}

std::shared_ptr<arrow::DataType> ToArrow(const DataType& type) {
  // Nested fields are nullable in Arrow whatever SQL says: otherwise arrays that differ only in that could not meet in
  // a kernel.
  const auto child = [&type](int i) { return ToArrow(type.children()[i].type); };
  switch (type.kind()) {
    case TypeKind::kNull:
      return arrow::null();
    case TypeKind::kBoolean:
      return arrow::boolean();
    case TypeKind::kTinyInt:
      return arrow::int8();
    case TypeKind::kSmallInt:
      return arrow::int16();
    case TypeKind::kInt:
      return arrow::int32();
    case TypeKind::kBigInt:
      return arrow::int64();
    case TypeKind::kFloat:
      return arrow::float32();
    case TypeKind::kDouble:
      return arrow::float64();
    case TypeKind::kDecimal:
      if (type.precision() == 0) return arrow::decimal128(10, 0);  // plain DECIMAL
      return arrow::decimal128(type.precision(), type.scale());
    case TypeKind::kString:
      return arrow::utf8();
    case TypeKind::kBytes:
      return arrow::binary();
    case TypeKind::kDate:
      return arrow::date32();
    case TypeKind::kTime:
      return arrow::time32(arrow::TimeUnit::MILLI);
    case TypeKind::kTimestamp:
      return arrow::timestamp(UnitOfPrecision(type.precision()));
    case TypeKind::kTimestampLtz:
      return arrow::timestamp(UnitOfPrecision(type.precision()), "UTC");
    case TypeKind::kIntervalDay:
      return arrow::int64();
    case TypeKind::kIntervalMonth:
      return arrow::int32();
    case TypeKind::kArray:
      return arrow::list(arrow::field("element", child(0)));
    case TypeKind::kMap:
      return arrow::map(child(0), child(1));
    case TypeKind::kMultiset:
      return arrow::map(child(0), arrow::int32());
    case TypeKind::kRow: {
      std::vector<std::shared_ptr<arrow::Field>> fields;
      for (const Field& field : type.children()) fields.push_back(arrow::field(field.name, ToArrow(field.type)));
      return arrow::struct_(std::move(fields));
    }
  }
  return arrow::null();
}

Result<DataType> FromArrow(const arrow::DataType& type, bool nullable) {
  const auto simple = [nullable](TypeKind kind) { return DataType(kind, nullable); };
  switch (type.id()) {
    case arrow::Type::NA:
      return simple(TypeKind::kNull);
    case arrow::Type::BOOL:
      return simple(TypeKind::kBoolean);
    case arrow::Type::INT8:
      return simple(TypeKind::kTinyInt);
    case arrow::Type::UINT8:
    case arrow::Type::INT16:
      return simple(TypeKind::kSmallInt);
    case arrow::Type::UINT16:
    case arrow::Type::INT32:
      return simple(TypeKind::kInt);
    case arrow::Type::UINT32:
    case arrow::Type::INT64:
      return simple(TypeKind::kBigInt);
    case arrow::Type::UINT64:
      return DataType::Decimal(20, 0, nullable);
    case arrow::Type::HALF_FLOAT:
    case arrow::Type::FLOAT:
      return simple(TypeKind::kFloat);
    case arrow::Type::DOUBLE:
      return simple(TypeKind::kDouble);
    case arrow::Type::DECIMAL32:
    case arrow::Type::DECIMAL64:
    case arrow::Type::DECIMAL128:
    case arrow::Type::DECIMAL256:
      return FromArrowDecimal(static_cast<const arrow::DecimalType&>(type), nullable);
    case arrow::Type::STRING:
    case arrow::Type::LARGE_STRING:
    case arrow::Type::STRING_VIEW:
      return simple(TypeKind::kString);
    case arrow::Type::BINARY:
    case arrow::Type::LARGE_BINARY:
    case arrow::Type::BINARY_VIEW:
    case arrow::Type::FIXED_SIZE_BINARY:
      return simple(TypeKind::kBytes);
    case arrow::Type::DATE32:
    case arrow::Type::DATE64:
      return simple(TypeKind::kDate);
    case arrow::Type::TIME32:
    case arrow::Type::TIME64:
      return simple(TypeKind::kTime);
    case arrow::Type::TIMESTAMP: {
      const auto& timestamp = static_cast<const arrow::TimestampType&>(type);
      const int precision = PrecisionOfUnit(timestamp.unit());
      return timestamp.timezone().empty() ? DataType::Timestamp(precision, nullable)
                                          : DataType::TimestampLtz(precision, nullable);
    }
    case arrow::Type::DURATION:
    case arrow::Type::INTERVAL_DAY_TIME:
      return simple(TypeKind::kIntervalDay);
    case arrow::Type::INTERVAL_MONTHS:
      return simple(TypeKind::kIntervalMonth);
    case arrow::Type::LIST:
    case arrow::Type::LARGE_LIST:
    case arrow::Type::FIXED_SIZE_LIST:
    case arrow::Type::LIST_VIEW:
    case arrow::Type::LARGE_LIST_VIEW:
      return FromArrowList(static_cast<const arrow::BaseListType&>(type), nullable);
    case arrow::Type::MAP: {
      const auto& map = static_cast<const arrow::MapType&>(type);
      TM_ASSIGN_OR_RETURN(DataType key, FromArrow(*map.key_type(), map.key_field()->nullable()));
      TM_ASSIGN_OR_RETURN(DataType value, FromArrow(*map.item_type(), map.item_field()->nullable()));
      return DataType::Map(std::move(key), std::move(value), nullable);
    }
    case arrow::Type::STRUCT: {
      std::vector<Field> fields;
      for (const auto& field : type.fields()) {
        TM_ASSIGN_OR_RETURN(DataType child, FromArrow(*field->type(), field->nullable()));
        fields.push_back({field->name(), std::move(child)});
      }
      return DataType::Row(std::move(fields), nullable);
    }
    case arrow::Type::DICTIONARY:
      return FromArrow(*static_cast<const arrow::DictionaryType&>(type).value_type(), nullable);
    case arrow::Type::EXTENSION:
      return FromArrow(*static_cast<const arrow::ExtensionType&>(type).storage_type(), nullable);
    default:
      return Status(kUnsupportedType, "no SQL type for Arrow type " + type.ToString());
  }
}

}  // namespace tidemill
