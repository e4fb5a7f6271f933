#include <algorithm>

#include "data/data_type.h"
#include "data/schema.h"
#include "function/errors.h"
#include "function/internal/bind.h"
#include "function/scalar_function.h"

namespace tidemill {
namespace {

Status NoCommonType(const DataType& a, const DataType& b) {
  return Status(kWrongArguments,
                "no common type of " + a.WithNullable(true).ToString() + " and " + b.WithNullable(true).ToString());
}

DataType CommonDecimal(const DataType& a, const DataType& b) {
  const DataType x = a.kind() == TypeKind::kDecimal ? a : DecimalOfInteger(a.kind());
  const DataType y = b.kind() == TypeKind::kDecimal ? b : DecimalOfInteger(b.kind());
  const int scale = std::max(x.scale(), y.scale());
  return AdjustedDecimal(std::max(x.precision() - x.scale(), y.precision() - y.scale()) + scale, scale);
}

DataType CommonNumber(const DataType& a, const DataType& b) {
  if (a.kind() == TypeKind::kDouble || b.kind() == TypeKind::kDouble) return DoubleType();
  const bool decimal = a.kind() == TypeKind::kDecimal || b.kind() == TypeKind::kDecimal;
  if (a.IsApproximate() || b.IsApproximate()) return decimal ? DoubleType() : DataType(TypeKind::kFloat);
  if (decimal) return CommonDecimal(a, b);
  return DataType(std::max(a.kind(), b.kind()));
}

Result<DataType> CommonChildren(const DataType& a, const DataType& b, bool nullable) {
  if (a.children().size() != b.children().size()) return NoCommonType(a, b);
  std::vector<Field> fields;
  for (size_t i = 0; i < a.children().size(); ++i) {
    TM_ASSIGN_OR_RETURN(DataType type, CommonType(a.children()[i].type, b.children()[i].type));
    fields.push_back(Field{a.children()[i].name, std::move(type)});
  }
  switch (a.kind()) {
    case TypeKind::kArray:
      return DataType::Array(fields[0].type, nullable);
    case TypeKind::kMultiset:
      return DataType::Multiset(fields[0].type, nullable);
    case TypeKind::kMap:
      return DataType::Map(fields[0].type, fields[1].type, nullable);
    default:
      return DataType::Row(std::move(fields), nullable);
  }
}

Result<DataType> CommonTime(const DataType& a, const DataType& b) {
  const auto is_point = [](const DataType& type) { return type.kind() == TypeKind::kDate || type.IsTimestamp(); };
  if (!is_point(a) || !is_point(b)) return NoCommonType(a, b);
  const int precision = std::max(a.IsTimestamp() ? a.precision() : 0, b.IsTimestamp() ? b.precision() : 0);
  if (a.kind() == TypeKind::kTimestampLtz || b.kind() == TypeKind::kTimestampLtz)
    return DataType::TimestampLtz(precision);
  return DataType::Timestamp(precision);
}

bool SameChildrenImplicitly(const DataType& from, const DataType& to) {
  if (from.children().size() != to.children().size()) return false;
  for (size_t i = 0; i < from.children().size(); ++i) {
    if (!ImplicitlyCastable(from.children()[i].type, to.children()[i].type)) return false;
  }
  return true;
}

bool FitsDecimal(const DataType& from, const DataType& to) {
  return from.precision() - from.scale() <= to.precision() - to.scale() && from.scale() <= to.scale();
}

bool IsNested(TypeKind kind) {
  return kind == TypeKind::kArray || kind == TypeKind::kMap || kind == TypeKind::kMultiset || kind == TypeKind::kRow;
}

bool IsTimeLike(const DataType& type) {
  return type.kind() == TypeKind::kDate || type.kind() == TypeKind::kTime || type.IsTimestamp();
}

}  // namespace

Result<DataType> CommonType(const DataType& a, const DataType& b) {
  const bool nullable = a.nullable() || b.nullable();
  if (a.kind() == TypeKind::kNull) return b.WithNullable(true);
  if (b.kind() == TypeKind::kNull) return a.WithNullable(true);
  if (a.SameAs(b)) return a.WithNullable(nullable);
  if (a.IsNumeric() && b.IsNumeric()) return CommonNumber(a, b).WithNullable(nullable);
  if (IsNested(a.kind()) && a.kind() == b.kind()) return CommonChildren(a, b, nullable);
  TM_ASSIGN_OR_RETURN(DataType time, CommonTime(a, b));
  return time.WithNullable(nullable);
}

bool ImplicitlyCastable(const DataType& from, const DataType& to) {
  if (from.kind() == TypeKind::kNull || from.SameAs(to)) return true;
  if (from.IsNumeric() && to.IsNumeric()) {
    if (to.kind() == TypeKind::kDouble) return true;
    if (to.kind() == TypeKind::kFloat) return from.kind() != TypeKind::kDouble;
    if (to.kind() == TypeKind::kDecimal) {
      if (from.IsApproximate()) return false;
      return FitsDecimal(from.kind() == TypeKind::kDecimal ? from : DecimalOfInteger(from.kind()), to);
    }
    return from.IsInteger() && from.kind() <= to.kind();
  }
  if (to.IsTimestamp()) {
    return from.kind() == TypeKind::kDate || (from.IsTimestamp() && from.precision() <= to.precision());
  }
  if (IsNested(from.kind()) && from.kind() == to.kind()) return SameChildrenImplicitly(from, to);
  return false;
}

bool ExplicitlyCastable(const DataType& from, const DataType& to) {
  if (ImplicitlyCastable(from, to)) return true;
  if (to.kind() == TypeKind::kString) return true;
  if (to.kind() == TypeKind::kNull) return false;
  if (from.kind() == TypeKind::kString) {
    return to.kind() == TypeKind::kBoolean || to.IsNumeric() || to.kind() == TypeKind::kBytes || IsTimeLike(to);
  }
  if (from.kind() == TypeKind::kBoolean) return to.IsNumeric();
  if (from.IsNumeric())
    return to.IsNumeric() || to.kind() == TypeKind::kBoolean || (from.IsInteger() && to.IsInterval());
  if (from.IsInterval()) return from.kind() == to.kind() || to.IsInteger();
  if (from.IsTimestamp()) return IsTimeLike(to);
  if (from.kind() == TypeKind::kTime) return to.kind() == TypeKind::kTime || to.IsTimestamp();
  if (from.kind() == to.kind() && IsNested(from.kind()) && from.children().size() == to.children().size()) {
    for (size_t i = 0; i < from.children().size(); ++i) {
      if (!ExplicitlyCastable(from.children()[i].type, to.children()[i].type)) return false;
    }
    return true;
  }
  return from.kind() == to.kind();
}

}  // namespace tidemill
