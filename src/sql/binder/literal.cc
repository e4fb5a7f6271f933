#include <algorithm>
#include <charconv>
#include <cmath>
#include <optional>

#include <arrow/api.h>
#include <arrow/util/decimal.h>
#include <fmt/format.h>

#include "sql/binder/expression_binder.h"
#include "sql/errors.h"

namespace tidemill {
namespace {

bool ReadNumber(std::string_view& text, size_t digits_min, size_t digits_max, int& out) {
  size_t n = 0;
  out = 0;
  while (n < text.size() && n < digits_max && text[n] >= '0' && text[n] <= '9') out = out * 10 + (text[n++] - '0');
  if (n < digits_min) return false;
  text.remove_prefix(n);
  return true;
}

bool ReadChar(std::string_view& text, char c) {
  if (text.empty() || text[0] != c) return false;
  text.remove_prefix(1);
  return true;
}

// Days since 1970-01-01 of a proleptic Gregorian date (H. Hinnant, "chrono-compatible low-level date algorithms").
int64_t DaysFromCivil(int year, int month, int day) {
  int64_t y = year - (month <= 2 ? 1 : 0);
  const int64_t era = (y >= 0 ? y : y - 399) / 400;
  const int64_t yoe = y - era * 400;
  const int64_t doy = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
  const int64_t doe = yoe * 365 + yoe / 4 - yoe / 100 + doy;
  return era * 146097 + doe - 719468;
}

bool ReadDate(std::string_view& text, int64_t& days) {
  int year = 0;
  int month = 0;
  int day = 0;
  if (!ReadNumber(text, 4, 4, year) || !ReadChar(text, '-') || !ReadNumber(text, 1, 2, month) || !ReadChar(text, '-') ||
      !ReadNumber(text, 1, 2, day)) {
    return false;
  }
  const bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
  static constexpr int kDays[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
  if (month < 1 || month > 12 || day < 1 || day > kDays[month - 1] + (month == 2 && leap ? 1 : 0)) return false;
  days = DaysFromCivil(year, month, day);
  return true;
}

// HH:MM[:SS[.fraction]] as nanoseconds; `digits` of the fraction.
bool ReadTime(std::string_view& text, int64_t& nanos, int& digits) {
  int hour = 0;
  int minute = 0;
  int second = 0;
  digits = 0;
  if (!ReadNumber(text, 1, 2, hour) || !ReadChar(text, ':') || !ReadNumber(text, 2, 2, minute)) return false;
  int64_t fraction = 0;
  if (ReadChar(text, ':')) {
    if (!ReadNumber(text, 2, 2, second)) return false;
    if (ReadChar(text, '.')) {
      int64_t scale = 100'000'000;
      while (!text.empty() && text[0] >= '0' && text[0] <= '9' && digits < 9) {
        fraction += (text[0] - '0') * scale;
        scale /= 10;
        ++digits;
        text.remove_prefix(1);
      }
    }
  }
  if (hour > 23 || minute > 59 || second > 59) return false;
  nanos = ((hour * 60LL + minute) * 60 + second) * 1'000'000'000 + fraction;
  return true;
}

struct UnitMillis {
  std::string_view name;
  int64_t ms;
};
constexpr UnitMillis kDayUnits[] = {
    {"WEEK", 604'800'000}, {"DAY", 86'400'000}, {"HOUR", 3'600'000}, {"MINUTE", 60'000}, {"SECOND", 1000}};
// Bounds sums inside one literal well below overflow.
constexpr int64_t kIntervalMillisMax = int64_t{1} << 53;

// "12" or "12.345" of one unit as milliseconds.
std::optional<int64_t> ReadScaled(std::string_view text, int64_t unit_ms) {
  int64_t whole = 0;
  size_t point = std::min(text.find('.'), text.size());
  auto [end, error] = std::from_chars(text.data(), text.data() + point, whole);
  if (error != std::errc() || end != text.data() + point || whole < 0 || whole > kIntervalMillisMax / unit_ms)
    return std::nullopt;
  int64_t ms = whole * unit_ms;
  if (point == text.size()) return ms;
  std::string_view fraction = text.substr(point + 1);
  if (fraction.empty() || fraction.size() > 9 || unit_ms != 1000) return std::nullopt;
  int64_t scale = 100;
  for (char c : fraction) {
    if (c < '0' || c > '9') return std::nullopt;
    ms += (c - '0') * scale;
    scale /= 10;
  }
  return ms;
}

// "1 02:03:04.5" DAY TO SECOND and its parts: fields from `first` to `last`, split by ' ', ':' and ':'.
std::optional<int64_t> ReadCompound(std::string_view text, size_t first, size_t last) {
  int64_t total = 0;
  for (size_t unit = first; unit <= last; ++unit) {
    const char separator = unit == 1 ? ' ' : ':';
    size_t end = unit == last ? text.size() : text.find(separator);
    if (end == std::string_view::npos) return std::nullopt;
    std::optional<int64_t> part = ReadScaled(text.substr(0, end), kDayUnits[unit].ms);
    if (!part) return std::nullopt;
    total += *part;
    text.remove_prefix(unit == last ? end : end + 1);
  }
  return total;
}

}  // namespace

std::optional<int64_t> IntegerValue(const Expression& expression) {
  if (!IsLiteral(expression) || !expression.literal->is_valid) return std::nullopt;
  switch (expression.type.kind()) {
    case TypeKind::kTinyInt:
      return static_cast<const arrow::Int8Scalar&>(*expression.literal).value;
    case TypeKind::kSmallInt:
      return static_cast<const arrow::Int16Scalar&>(*expression.literal).value;
    case TypeKind::kInt:
      return static_cast<const arrow::Int32Scalar&>(*expression.literal).value;
    case TypeKind::kBigInt:
      return static_cast<const arrow::Int64Scalar&>(*expression.literal).value;
    default:
      return std::nullopt;
  }
}

std::optional<int64_t> IntervalMillis(const Expression& expression) {
  if (!IsLiteral(expression) || expression.type.kind() != TypeKind::kIntervalDay || !expression.literal->is_valid)
    return std::nullopt;
  return static_cast<const arrow::Int64Scalar&>(*expression.literal).value;
}

// Whole numbers are INT, BIGINT or DECIMAL as they need, those with a point DECIMAL, those with an exponent DOUBLE.
Result<ExpressionPtr> BindNumberLiteral(const std::string& text, bool negative, const SourcePosition& position) {
  const std::string signed_text = (negative ? "-" : "") + text;
  if (text.find_first_of("eE") != std::string::npos) {
    double value = 0;
    auto [end, error] = std::from_chars(signed_text.data(), signed_text.data() + signed_text.size(), value);
    if (error != std::errc() || !std::isfinite(value)) {
      return Status(kInvalidLiteral, fmt::format("number {} does not fit DOUBLE", signed_text)).At(position);
    }
    return MakeLiteral(std::make_shared<arrow::DoubleScalar>(value), DataType(TypeKind::kDouble), position);
  }
  if (text.find('.') == std::string::npos) {
    int64_t value = 0;
    auto [end, error] = std::from_chars(signed_text.data(), signed_text.data() + signed_text.size(), value);
    if (error == std::errc()) {
      if (value >= INT32_MIN && value <= INT32_MAX) return MakeIntLiteral(static_cast<int32_t>(value), position);
      return MakeLiteral(std::make_shared<arrow::Int64Scalar>(value), DataType(TypeKind::kBigInt), position);
    }
  }
  std::string digits = text;
  const size_t point = digits.find('.');
  int scale = 0;
  if (point != std::string::npos) {
    scale = static_cast<int>(digits.size() - point - 1);
    digits.erase(point, 1);
  }
  const size_t first = std::min(digits.find_first_not_of('0'), digits.size());
  const int precision = std::max({static_cast<int>(digits.size() - first), scale, 1});
  if (precision > 38) {
    return Status(kInvalidLiteral, fmt::format("number {} has more than 38 digits", signed_text))
        .At(position)
        .WithHint("write it with an exponent (1E0) for a DOUBLE");
  }
  arrow::Result<arrow::Decimal128> value =
      arrow::Decimal128::FromString((negative ? "-" : "") + (digits.empty() ? "0" : digits));
  if (!value.ok()) return Status(kInvalidLiteral, fmt::format("invalid number {}", signed_text)).At(position);
  DataType type = DataType::Decimal(precision, scale);
  return MakeLiteral(std::make_shared<arrow::Decimal128Scalar>(*value, ToArrow(type)), type, position);
}

Result<ExpressionPtr> BindBinaryLiteral(const std::string& hex, const SourcePosition& position) {
  auto digit = [](char c) {
    return c >= '0' && c <= '9'   ? c - '0'
           : c >= 'a' && c <= 'f' ? c - 'a' + 10
           : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                  : -1;
  };
  std::string bytes;
  for (size_t i = 0; i < hex.size(); i += 2) {
    const int high = digit(hex[i]);
    const int low = i + 1 < hex.size() ? digit(hex[i + 1]) : -1;
    if (high < 0 || low < 0)
      return Status(kInvalidLiteral, "a binary string takes pairs of hexadecimal digits").At(position);
    bytes += static_cast<char>(high * 16 + low);
  }
  return MakeLiteral(std::make_shared<arrow::BinaryScalar>(std::move(bytes)), DataType(TypeKind::kBytes), position);
}

Result<ExpressionPtr> BindDateTimeLiteral(const std::string& kind, const std::string& text,
                                          const SourcePosition& position) {
  std::string_view rest = text;
  int64_t days = 0;
  int64_t nanos = 0;
  int digits = 0;
  auto fail = [&](const char* form) {
    return Status(kInvalidLiteral, fmt::format("'{}' is not a {}", text, kind))
        .At(position)
        .WithHint(fmt::format("write {} '{}'", kind, form));
  };
  if (kind == "DATE") {
    if (!ReadDate(rest, days) || !rest.empty()) return fail("2026-01-31");
    return MakeLiteral(std::make_shared<arrow::Date32Scalar>(static_cast<int32_t>(days)), DataType(TypeKind::kDate),
                       position);
  }
  if (kind == "TIME") {
    if (!ReadTime(rest, nanos, digits) || !rest.empty()) return fail("23:59:59");
    DataType type(TypeKind::kTime);
    return MakeLiteral(std::make_shared<arrow::Time32Scalar>(static_cast<int32_t>(nanos / 1'000'000), ToArrow(type)),
                       type, position);
  }
  if (kind != "TIMESTAMP") {
    return Status(kUnsupportedSyntax, fmt::format("{} literals are not supported", kind))
        .At(position)
        .WithHint("CAST(TIMESTAMP '...' AS TIMESTAMP_LTZ(3))");
  }
  if (!ReadDate(rest, days) || !(ReadChar(rest, ' ') || ReadChar(rest, 'T')) || !ReadTime(rest, nanos, digits) ||
      !rest.empty()) {
    return fail("2026-01-31 23:59:59.999");
  }
  // At least milliseconds, so that a literal meets a TIMESTAMP(3) column without a cast.
  DataType type = DataType::Timestamp(std::max(3, digits));
  int64_t value = 0;
  if (digits <= 3) {
    value = days * 86'400'000 + nanos / 1'000'000;
  } else if (digits <= 6) {
    value = days * 86'400'000'000 + nanos / 1000;
  } else if (__builtin_mul_overflow(days, int64_t{86'400'000'000'000}, &value) ||
             __builtin_add_overflow(value, nanos, &value)) {
    return Status(kInvalidLiteral, fmt::format("'{}' is outside the range of TIMESTAMP({})", text, digits))
        .At(position);
  }
  return MakeLiteral(std::make_shared<arrow::TimestampScalar>(value, ToArrow(type)), type, position);
}

Result<ExpressionPtr> BindIntervalLiteral(const ast::Expr& expr) {
  std::string_view text = expr.text;
  bool negative = expr.flag;
  if (text.starts_with("-") || text.starts_with("+")) {
    negative = negative != (text[0] == '-');
    text.remove_prefix(1);
  }
  auto fail = [&](std::string why) { return Status(kInvalidLiteral, std::move(why)).At(expr.position); };
  if (expr.unit == "YEAR" || expr.unit == "MONTH" || expr.unit == "QUARTER") {
    int64_t months = 0;
    std::string_view rest = text;
    int first = 0;
    int second = 0;
    const int factor = expr.unit == "YEAR" ? 12 : expr.unit == "QUARTER" ? 3 : 1;
    if (!ReadNumber(rest, 1, 6, first)) return fail(fmt::format("'{}' is not a number of {}s", expr.text, expr.unit));
    months = static_cast<int64_t>(first) * factor;
    if (expr.unit_to == "MONTH" && expr.unit == "YEAR") {
      if (!ReadChar(rest, '-') || !ReadNumber(rest, 1, 2, second))
        return fail(fmt::format("'{}' is not YEAR TO MONTH ('1-2')", expr.text));
      months += second;
    } else if (!expr.unit_to.empty()) {
      return fail(fmt::format("there is no INTERVAL {} TO {}", expr.unit, expr.unit_to));
    }
    if (!rest.empty()) return fail(fmt::format("'{}' is not a number of {}s", expr.text, expr.unit));
    return MakeLiteral(std::make_shared<arrow::Int32Scalar>(static_cast<int32_t>(negative ? -months : months)),
                       DataType(TypeKind::kIntervalMonth), expr.position);
  }
  size_t first = std::size(kDayUnits);
  size_t last = std::size(kDayUnits);
  for (size_t i = 0; i < std::size(kDayUnits); ++i) {
    if (kDayUnits[i].name == expr.unit) first = i;
    if (kDayUnits[i].name == (expr.unit_to.empty() ? expr.unit : expr.unit_to)) last = i;
  }
  if (first == std::size(kDayUnits)) return fail(fmt::format("there are no INTERVALs of {}", expr.unit));
  if (last == std::size(kDayUnits) || last < first || (first == 0 && last != 0)) {
    return fail(fmt::format("there is no INTERVAL {} TO {}", expr.unit, expr.unit_to));
  }
  std::optional<int64_t> ms = first == last ? ReadScaled(text, kDayUnits[first].ms) : ReadCompound(text, first, last);
  if (!ms) {
    return fail(expr.unit_to.empty()
                    ? fmt::format("'{}' is not a number of {}s", expr.text, expr.unit)
                    : fmt::format("'{}' is not an INTERVAL {} TO {}", expr.text, expr.unit, expr.unit_to));
  }
  return MakeLiteral(std::make_shared<arrow::Int64Scalar>(negative ? -*ms : *ms), DataType(TypeKind::kIntervalDay),
                     expr.position);
}

}  // namespace tidemill
