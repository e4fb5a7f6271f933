#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"

namespace arrow {
class DataType;
}

namespace tidemill {

struct Field;

// The roots of Flink SQL's type system that Tidemill has. VARCHAR and STRING are kString; BINARY, VARBINARY and BYTES
// are kBytes.
enum class TypeKind : uint8_t {
  kNull,
  kBoolean,
  kTinyInt,
  kSmallInt,
  kInt,
  kBigInt,
  kFloat,
  kDouble,
  kDecimal,  // precision 1..38, scale 0..precision: arrow decimal128
  kString,
  kBytes,
  kDate,           // arrow date32
  kTime,           // arrow time32[ms]
  kTimestamp,      // wall clock; arrow timestamp without zone: precision <= 3 ms, <= 6 us, <= 9 ns
  kTimestampLtz,   // instant; arrow timestamp with zone "UTC", units as above
  kIntervalDay,    // INTERVAL DAY TO SECOND: arrow int64 milliseconds
  kIntervalMonth,  // INTERVAL YEAR TO MONTH: arrow int32 months
  kArray,          // arrow list; children: {element}
  kMap,            // arrow map; children: {key, value}
  kMultiset,       // arrow map to int32; children: {element}
  kRow,            // arrow struct; children: fields
};

// A logical type. A small immutable value; children are shared.
class DataType {
 public:
  DataType() = default;
  explicit DataType(TypeKind kind, bool nullable = true) : kind_(kind), nullable_(nullable) {}

  static DataType Decimal(int precision, int scale, bool nullable = true);
  static DataType Timestamp(int precision, bool nullable = true);
  static DataType TimestampLtz(int precision, bool nullable = true);
  static DataType Array(DataType element, bool nullable = true);
  static DataType Map(DataType key, DataType value, bool nullable = true);
  static DataType Multiset(DataType element, bool nullable = true);
  static DataType Row(std::vector<Field> fields, bool nullable = true);

  TypeKind kind() const { return kind_; }
  int precision() const { return precision_; }
  int scale() const { return scale_; }
  bool nullable() const { return nullable_; }
  const std::vector<Field>& children() const;
  DataType WithNullable(bool nullable) const;

  bool IsInteger() const { return kind_ >= TypeKind::kTinyInt && kind_ <= TypeKind::kBigInt; }
  bool IsApproximate() const { return kind_ == TypeKind::kFloat || kind_ == TypeKind::kDouble; }
  bool IsNumeric() const { return kind_ >= TypeKind::kTinyInt && kind_ <= TypeKind::kDecimal; }
  bool IsTimestamp() const { return kind_ == TypeKind::kTimestamp || kind_ == TypeKind::kTimestampLtz; }
  bool IsInterval() const { return kind_ == TypeKind::kIntervalDay || kind_ == TypeKind::kIntervalMonth; }

  // Equality including nullability; SameAs without it (deep).
  bool operator==(const DataType& other) const;
  bool SameAs(const DataType& other) const;

  // As SQL prints it: "DECIMAL(10, 2) NOT NULL", "ROW<`a` INT, `b` STRING>".
  std::string ToString() const;

 private:
  TypeKind kind_ = TypeKind::kNull;
  bool nullable_ = true;
  int16_t precision_ = 0;
  int16_t scale_ = 0;
  std::shared_ptr<const std::vector<Field>> children_;
};

struct Field {
  std::string name;
  DataType type;
  bool operator==(const Field&) const = default;
};

std::shared_ptr<arrow::DataType> ToArrow(const DataType& type);
// The nearest logical type; kUnsupportedType for Arrow types without one (unions, run-end encoded, ...). uint64 becomes
// DECIMAL(20, 0).
Result<DataType> FromArrow(const arrow::DataType& type, bool nullable = true);

}  // namespace tidemill
