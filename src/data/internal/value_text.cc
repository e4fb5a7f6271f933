#include "data/internal/value_text.h"

#include <charconv>
#include <cmath>

#include <arrow/util/base64.h>
#include <arrow/util/decimal.h>

namespace tidemill {
namespace {

template <typename T>
void AppendNumber(T value, std::string& out) {
  char text[40];
  const auto result = std::to_chars(text, text + sizeof(text), value);
  out.append(text, result.ptr);
}

template <typename T>
void AppendApproximate(T value, std::string& out) {
  if (std::isnan(value)) {
    out += "NaN";
  } else if (std::isinf(value)) {
    out += value < 0 ? "-Infinity" : "Infinity";
  } else {
    AppendNumber(value, out);
  }
}

template <typename Array>
auto ValueOf(const arrow::Array& column, int64_t i) {
  return static_cast<const Array&>(column).Value(i);
}

}  // namespace

void AppendDouble(double value, std::string& out) { AppendApproximate(value, out); }
void AppendFloat(float value, std::string& out) { AppendApproximate(value, out); }
void AppendIntegerText(int64_t value, std::string& out) { AppendNumber(value, out); }
void AppendBase64(std::string_view bytes, std::string& out) { out += arrow::util::base64_encode(bytes); }

TextKind TextKindOf(TypeKind kind) {
  switch (kind) {
    case TypeKind::kString:
      return TextKind::kEscaped;
    case TypeKind::kBytes:
    case TypeKind::kDate:
    case TypeKind::kTime:
    case TypeKind::kTimestamp:
    case TypeKind::kTimestampLtz:
      return TextKind::kQuoted;
    case TypeKind::kArray:
    case TypeKind::kMap:
    case TypeKind::kMultiset:
    case TypeKind::kRow:
      return TextKind::kNested;
    default:
      return TextKind::kBare;
  }
}

void AppendValueText(const arrow::Array& column, const DataType& type, int64_t i, const ValueTextOptions& options,
                     std::string& out) {
  switch (type.kind()) {
    case TypeKind::kNull:
      out += "null";
      return;
    case TypeKind::kBoolean:
      out += ValueOf<arrow::BooleanArray>(column, i) ? "true" : "false";
      return;
    case TypeKind::kTinyInt:
      return AppendIntegerText(ValueOf<arrow::Int8Array>(column, i), out);
    case TypeKind::kSmallInt:
      return AppendIntegerText(ValueOf<arrow::Int16Array>(column, i), out);
    case TypeKind::kInt:
    case TypeKind::kIntervalMonth:
      return AppendIntegerText(ValueOf<arrow::Int32Array>(column, i), out);
    case TypeKind::kBigInt:
    case TypeKind::kIntervalDay:
      return AppendIntegerText(ValueOf<arrow::Int64Array>(column, i), out);
    case TypeKind::kFloat:
      return AppendFloat(ValueOf<arrow::FloatArray>(column, i), out);
    case TypeKind::kDouble:
      return AppendDouble(ValueOf<arrow::DoubleArray>(column, i), out);
    case TypeKind::kDecimal: {
      const arrow::Decimal128 value(static_cast<const arrow::Decimal128Array&>(column).GetValue(i));
      out += value.ToString(type.scale());
      return;
    }
    case TypeKind::kString:
      out += static_cast<const arrow::StringArray&>(column).GetView(i);
      return;
    case TypeKind::kBytes:
      return AppendBase64(static_cast<const arrow::BinaryArray&>(column).GetView(i), out);
    case TypeKind::kDate:
      return AppendDateText(ValueOf<arrow::Date32Array>(column, i), out);
    case TypeKind::kTime:
      return AppendTimeText(ValueOf<arrow::Time32Array>(column, i), FractionDigits::kMinimal, out);
    case TypeKind::kTimestamp:
    case TypeKind::kTimestampLtz:
      AppendTimestampText(ValueOf<arrow::TimestampArray>(column, i), type.precision(), options.time_separator,
                          FractionDigits::kMinimal, out);
      if (type.kind() == TypeKind::kTimestampLtz) out += 'Z';
      return;
    default:
      return;
  }
}

}  // namespace tidemill
