#include "connect/print/java_text.h"

#include <charconv>
#include <cmath>
#include <cstdlib>
#include <string_view>

#include <arrow/util/decimal.h>

#include "data/time_text.h"

namespace tidemill {
namespace {

// Java's Double.toString: plain between 10^-3 and 10^7, else d.dddEn; at least one digit behind the point.
template <typename T>
void AppendJavaNumber(T value, std::string& out) {
  if (std::isnan(value)) {
    out += "NaN";
    return;
  }
  if (std::isinf(value)) {
    out += value < 0 ? "-Infinity" : "Infinity";
    return;
  }
  char text[64];
  const T magnitude = std::fabs(value);
  const bool plain = magnitude == 0 || (magnitude >= static_cast<T>(1e-3) && magnitude < static_cast<T>(1e7));
  const auto end =
      std::to_chars(text, text + sizeof(text), value, plain ? std::chars_format::fixed : std::chars_format::scientific);
  std::string_view digits(text, static_cast<size_t>(end.ptr - text));
  if (plain) {
    out += digits;
    if (digits.find('.') == std::string_view::npos) out += ".0";
    return;
  }
  const size_t e = digits.find('e');
  const std::string_view mantissa = digits.substr(0, e);
  out += mantissa;
  if (mantissa.find('.') == std::string_view::npos) out += ".0";
  out += 'E';
  out += std::to_string(std::atoi(std::string(digits.substr(e + 1)).c_str()));
}

// ".789", by threes; nothing for 0.
void AppendJavaFraction(int64_t nanos, std::string& out) {
  if (nanos == 0) return;
  char text[16];
  std::snprintf(text, sizeof(text), ".%09d", static_cast<int>(nanos));
  std::string_view fraction(text);
  while (fraction.ends_with("000")) fraction.remove_suffix(3);
  out += fraction;
}

// Cuts ":00" off the end when there is no fraction either, as LocalTime.toString does.
void TrimJavaSeconds(int64_t nanos, std::string& out) {
  if (nanos == 0 && out.ends_with(":00")) out.resize(out.size() - 3);
}

void AppendJavaTimestamp(int64_t value, const DataType& type, std::string& out) {
  const int64_t units = type.precision() <= 3 ? 1'000 : type.precision() <= 6 ? 1'000'000 : 1'000'000'000;
  const int64_t seconds = value >= 0 ? value / units : -((-value + units - 1) / units);
  const int64_t nanos = (value - seconds * units) * (1'000'000'000 / units);
  AppendTimestampText(seconds * 1000, 0, 'T', FractionDigits::kMinimal, out);  // "2024-05-01T12:34:56"
  const bool instant = type.kind() == TypeKind::kTimestampLtz;
  if (!instant) TrimJavaSeconds(nanos, out);
  AppendJavaFraction(nanos, out);
  if (instant) out += 'Z';
}

template <typename Array>
auto ValueOf(const arrow::Array& column, int64_t i) {
  return static_cast<const Array&>(column).Value(i);
}

void AppendList(const arrow::Array& values, const DataType& element, int64_t from, int64_t to, std::string& out) {
  out += '[';
  for (int64_t e = from; e < to; ++e) {
    if (e > from) out += ", ";
    AppendJavaText(values, element, e, out);
  }
  out += ']';
}

void AppendNested(const arrow::Array& column, const DataType& type, int64_t i, std::string& out) {
  if (type.kind() == TypeKind::kRow) {
    const auto& row = static_cast<const arrow::StructArray&>(column);
    out += "+I[";
    for (int f = 0; f < row.num_fields(); ++f) {
      if (f > 0) out += ", ";
      AppendJavaText(*row.field(f), type.children()[static_cast<size_t>(f)].type, i, out);
    }
    out += ']';
    return;
  }
  if (type.kind() == TypeKind::kArray) {
    const auto& list = static_cast<const arrow::ListArray&>(column);
    return AppendList(*list.values(), type.children()[0].type, list.value_offset(i), list.value_offset(i + 1), out);
  }
  const auto& map = static_cast<const arrow::MapArray&>(column);
  const DataType value = type.kind() == TypeKind::kMap ? type.children()[1].type : DataType(TypeKind::kInt);
  out += '{';
  for (int64_t e = map.value_offset(i); e < map.value_offset(i + 1); ++e) {
    if (e > map.value_offset(i)) out += ", ";
    AppendJavaText(*map.keys(), type.children()[0].type, e, out);
    out += '=';
    AppendJavaText(*map.items(), value, e, out);
  }
  out += '}';
}

}  // namespace

void AppendJavaText(const arrow::Array& column, const DataType& type, int64_t i, std::string& out) {
  if (column.IsNull(i)) {
    out += "null";
    return;
  }
  switch (type.kind()) {
    case TypeKind::kNull:
      out += "null";
      return;
    case TypeKind::kBoolean:
      out += ValueOf<arrow::BooleanArray>(column, i) ? "true" : "false";
      return;
    case TypeKind::kTinyInt:
      out += std::to_string(ValueOf<arrow::Int8Array>(column, i));
      return;
    case TypeKind::kSmallInt:
      out += std::to_string(ValueOf<arrow::Int16Array>(column, i));
      return;
    case TypeKind::kInt:
    case TypeKind::kIntervalMonth:
      out += std::to_string(ValueOf<arrow::Int32Array>(column, i));
      return;
    case TypeKind::kBigInt:
    case TypeKind::kIntervalDay:
      out += std::to_string(ValueOf<arrow::Int64Array>(column, i));
      return;
    case TypeKind::kFloat:
      return AppendJavaNumber(ValueOf<arrow::FloatArray>(column, i), out);
    case TypeKind::kDouble:
      return AppendJavaNumber(ValueOf<arrow::DoubleArray>(column, i), out);
    case TypeKind::kDecimal: {
      const arrow::Decimal128 value(static_cast<const arrow::Decimal128Array&>(column).GetValue(i));
      out += value.ToString(type.scale());
      return;
    }
    case TypeKind::kString:
      out += static_cast<const arrow::StringArray&>(column).GetView(i);
      return;
    case TypeKind::kBytes: {
      out += '[';
      bool first = true;
      for (const char c : static_cast<const arrow::BinaryArray&>(column).GetView(i)) {
        if (!first) out += ", ";
        first = false;
        out += std::to_string(static_cast<int>(static_cast<int8_t>(c)));
      }
      out += ']';
      return;
    }
    case TypeKind::kDate:
      return AppendDateText(ValueOf<arrow::Date32Array>(column, i), out);
    case TypeKind::kTime: {
      const int32_t millis = ValueOf<arrow::Time32Array>(column, i);
      const int64_t nanos = int64_t{millis % 1000} * 1'000'000;
      AppendTimeText(millis / 1000 * 1000, FractionDigits::kMinimal, out);
      TrimJavaSeconds(nanos, out);
      return AppendJavaFraction(nanos, out);
    }
    case TypeKind::kTimestamp:
    case TypeKind::kTimestampLtz:
      return AppendJavaTimestamp(ValueOf<arrow::TimestampArray>(column, i), type, out);
    default:
      return AppendNested(column, type, i, out);
  }
}

}  // namespace tidemill
