#include "feature/internal/json_columns.h"

#include <charconv>
#include <cmath>
#include <limits>

#include <arrow/api.h>
#include <arrow/util/base64.h>
#include <arrow/util/decimal.h>
#include <nlohmann/json.hpp>

#include "data/arrow_status.h"
#include "data/time_text.h"
#include "feature/errors.h"

namespace tidemill {
namespace {

using Json = nlohmann::json;

Status Misfit(const Json& value, const DataType& type, size_t i) {
  std::string text = value.dump(-1, ' ', false, Json::error_handler_t::replace);
  if (text.size() > 64) text = text.substr(0, 61) + "...";
  return Status(kInvalidFeatureRequest,
                "value " + std::to_string(i + 1) + " is " + text + ", expected " + type.WithNullable(true).ToString());
}

template <typename T>
bool ParseNumber(const std::string& text, T* out) {
  const auto parsed = std::from_chars(text.data(), text.data() + text.size(), *out);
  return parsed.ec == std::errc() && parsed.ptr == text.data() + text.size();
}

template <typename T>
bool IntegerOf(const Json& value, T* out) {
  int64_t wide = 0;
  if (value.is_number_unsigned()) {
    if (value.get<uint64_t>() > static_cast<uint64_t>(INT64_MAX)) return false;
    wide = static_cast<int64_t>(value.get<uint64_t>());
  } else if (value.is_number_integer()) {
    wide = value.get<int64_t>();
  } else if (value.is_number_float()) {
    const double number = value.get<double>();
    if (number != std::floor(number) || std::abs(number) > 9007199254740992.0) return false;
    wide = static_cast<int64_t>(number);
  } else if (!value.is_string() || !ParseNumber(value.get_ref<const std::string&>(), &wide)) {
    return false;
  }
  if (wide < std::numeric_limits<T>::min() || wide > std::numeric_limits<T>::max()) return false;
  *out = static_cast<T>(wide);
  return true;
}

bool DoubleOf(const Json& value, double* out) {
  if (value.is_number()) {
    *out = value.get<double>();
    return true;
  }
  return value.is_string() && ParseNumber(value.get_ref<const std::string&>(), out);
}

bool TimestampOf(const Json& value, const DataType& type, int64_t* out) {
  if (value.is_string()) return ParseTimestampValue(value.get_ref<const std::string&>(), TimeSyntax::kAny, type, *out);
  int64_t seconds = 0;
  return IntegerOf(value, &seconds) && TimestampValue(seconds, 0, type.precision(), *out);
}

// Appends one value; false when it does not fit.
Result<bool> AppendValue(const Json& value, const DataType& type, arrow::ArrayBuilder& builder) {
  constexpr std::string_view kDoing = "reading JSON";
  const auto appended = [&](const arrow::Status& status) -> Result<bool> {
    TM_ARROW_RETURN_IF_ERROR(status, kDoing);
    return true;
  };
  if (value.is_null()) return appended(builder.AppendNull());
  switch (type.kind()) {
#define TM_INTEGER(Kind, Native, Builder)                                  \
  case TypeKind::Kind: {                                                   \
    Native number;                                                         \
    if (!IntegerOf(value, &number)) return false;                          \
    return appended(static_cast<arrow::Builder&>(builder).Append(number)); \
  }
    TM_INTEGER(kTinyInt, int8_t, Int8Builder)
    TM_INTEGER(kSmallInt, int16_t, Int16Builder)
    TM_INTEGER(kInt, int32_t, Int32Builder)
    TM_INTEGER(kBigInt, int64_t, Int64Builder)
#undef TM_INTEGER
    case TypeKind::kBoolean:
      if (!value.is_boolean()) return false;
      return appended(static_cast<arrow::BooleanBuilder&>(builder).Append(value.get<bool>()));
    case TypeKind::kFloat:
    case TypeKind::kDouble: {
      double number;
      if (!DoubleOf(value, &number)) return false;
      if (type.kind() == TypeKind::kDouble) return appended(static_cast<arrow::DoubleBuilder&>(builder).Append(number));
      return appended(static_cast<arrow::FloatBuilder&>(builder).Append(static_cast<float>(number)));
    }
    case TypeKind::kDecimal: {
      if (!value.is_string() && !value.is_number()) return false;
      const std::string text = value.is_string() ? value.get<std::string>() : value.dump();
      arrow::Decimal128 decimal;
      int32_t precision, scale;
      if (!arrow::Decimal128::FromString(text, &decimal, &precision, &scale).ok()) return false;
      auto scaled = decimal.Rescale(scale, type.scale());
      if (!scaled.ok() || !scaled->FitsInPrecision(type.precision())) return false;
      return appended(static_cast<arrow::Decimal128Builder&>(builder).Append(*scaled));
    }
    case TypeKind::kString:
      if (!value.is_string()) return false;
      return appended(static_cast<arrow::StringBuilder&>(builder).Append(value.get_ref<const std::string&>()));
    case TypeKind::kBytes:
      if (!value.is_string()) return false;
      return appended(static_cast<arrow::BinaryBuilder&>(builder).Append(value.get_ref<const std::string&>()));
    case TypeKind::kDate: {
      int32_t days;
      if (!value.is_string() || !ParseDateText(value.get_ref<const std::string&>(), TimeSyntax::kAny, days))
        return false;
      return appended(static_cast<arrow::Date32Builder&>(builder).Append(days));
    }
    case TypeKind::kTime: {
      int32_t millis;
      if (!value.is_string() || !ParseTimeText(value.get_ref<const std::string&>(), TimeSyntax::kAny, millis))
        return false;
      return appended(static_cast<arrow::Time32Builder&>(builder).Append(millis));
    }
    case TypeKind::kTimestamp:
    case TypeKind::kTimestampLtz: {
      int64_t time;
      if (!TimestampOf(value, type, &time)) return false;
      return appended(static_cast<arrow::TimestampBuilder&>(builder).Append(time));
    }
    default:
      return false;
  }
}

}  // namespace

Result<std::shared_ptr<arrow::Array>> ColumnFromJson(const Json& values, const DataType& type) {
  std::unique_ptr<arrow::ArrayBuilder> builder;
  TM_ARROW_RETURN_IF_ERROR(arrow::MakeBuilder(arrow::default_memory_pool(), ToArrow(type), &builder), "reading JSON");
  for (size_t i = 0; i < values.size(); ++i) {
    TM_ASSIGN_OR_RETURN(const bool fits, AppendValue(values[i], type, *builder));
    if (!fits) return Misfit(values[i], type, i);
  }
  std::shared_ptr<arrow::Array> column;
  TM_ARROW_RETURN_IF_ERROR(builder->Finish(&column), "reading JSON");
  return column;
}

Json JsonOf(const arrow::Array& column, int64_t row) {
  if (column.IsNull(row)) return nullptr;
  const auto number = [](double value) -> Json { return std::isfinite(value) ? Json(value) : Json(nullptr); };
  switch (column.type_id()) {
    case arrow::Type::BOOL:
      return static_cast<const arrow::BooleanArray&>(column).Value(row);
    case arrow::Type::INT8:
      return static_cast<const arrow::Int8Array&>(column).Value(row);
    case arrow::Type::INT16:
      return static_cast<const arrow::Int16Array&>(column).Value(row);
    case arrow::Type::INT32:
      return static_cast<const arrow::Int32Array&>(column).Value(row);
    case arrow::Type::INT64:
      return static_cast<const arrow::Int64Array&>(column).Value(row);
    case arrow::Type::FLOAT: {
      // The shortest text that is this float, not the double it widens to.
      char text[32];
      const float value = static_cast<const arrow::FloatArray&>(column).Value(row);
      const auto end = std::to_chars(text, text + sizeof(text), value);
      double shortest = value;
      std::from_chars(text, end.ptr, shortest);
      return number(shortest);
    }
    case arrow::Type::DOUBLE:
      return number(static_cast<const arrow::DoubleArray&>(column).Value(row));
    case arrow::Type::STRING:
      return std::string(static_cast<const arrow::StringArray&>(column).GetView(row));
    case arrow::Type::BINARY:
      return arrow::util::base64_encode(static_cast<const arrow::BinaryArray&>(column).GetView(row));
    case arrow::Type::TIMESTAMP: {
      const int64_t value = static_cast<const arrow::TimestampArray&>(column).Value(row);
      int64_t per_second = 1;
      switch (static_cast<const arrow::TimestampType&>(*column.type()).unit()) {
        case arrow::TimeUnit::SECOND:
          break;
        case arrow::TimeUnit::MILLI:
          per_second = 1000;
          break;
        case arrow::TimeUnit::MICRO:
          per_second = 1'000'000;
          break;
        case arrow::TimeUnit::NANO:
          per_second = 1'000'000'000;
          break;
      }
      return value >= 0 ? value / per_second : -((-(value + 1)) / per_second) - 1;
    }
    default: {
      const auto scalar = column.GetScalar(row);
      return scalar.ok() ? Json((*scalar)->ToString()) : Json(nullptr);
    }
  }
}

std::string TextOfValue(const arrow::Array& column, const DataType& type, int64_t row) {
  if (column.IsNull(row)) return "NULL";
  if (type.IsTimestamp()) {
    std::string text;
    AppendTimestampText(static_cast<const arrow::TimestampArray&>(column).Value(row), type.precision(), ' ',
                        FractionDigits::kAsPrecision, text);
    return text;
  }
  if (type.kind() == TypeKind::kString) return std::string(static_cast<const arrow::StringArray&>(column).GetView(row));
  if (type.IsApproximate()) {
    char text[32];
    const auto end =
        type.kind() == TypeKind::kFloat
            ? std::to_chars(text, text + sizeof(text), static_cast<const arrow::FloatArray&>(column).Value(row))
            : std::to_chars(text, text + sizeof(text), static_cast<const arrow::DoubleArray&>(column).Value(row));
    return std::string(text, end.ptr);
  }
  const auto scalar = column.GetScalar(row);
  return scalar.ok() ? (*scalar)->ToString() : "?";
}

}  // namespace tidemill
