#include "data/time_text.h"

#include <cstring>

#include <arrow/array.h>
#include <arrow/builder.h>
#include <cctz/time_zone.h>

#include "data/arrow_status.h"

namespace tidemill {
namespace {

constexpr int64_t kSecondsPerDay = 86'400;

bool IsDigit(char c) { return static_cast<unsigned char>(c - '0') <= 9; }

int DaysInMonth(int64_t year, int month) {
  static constexpr int kDays[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
  const bool leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
  return month == 2 && leap ? 29 : kDays[month - 1];
}

bool MakeDays(int year, int month, int day, int64_t& days) {
  if (month < 1 || month > 12 || day < 1 || day > DaysInMonth(year, month)) return false;
  days = DaysFromCivil(year, month, day);
  return true;
}

// Two digits at p; sets bit 31 of `bad` when one is not a digit.
int Two(const char* p, unsigned& bad) {
  const unsigned a = static_cast<unsigned char>(p[0] - '0');
  const unsigned b = static_cast<unsigned char>(p[1] - '0');
  bad |= static_cast<unsigned>(a > 9) | static_cast<unsigned>(b > 9);
  return static_cast<int>(a * 10 + b);
}

// 1 to `digits_max` digits at the front of `text`.
bool TakeNumber(std::string_view& text, int digits_max, int& out) {
  int n = 0;
  out = 0;
  while (n < digits_max && n < static_cast<int>(text.size()) && IsDigit(text[n])) out = out * 10 + (text[n++] - '0');
  text.remove_prefix(static_cast<size_t>(n));
  return n > 0;
}

bool TakeChar(std::string_view& text, char c) {
  if (text.empty() || text[0] != c) return false;
  text.remove_prefix(1);
  return true;
}

bool TakeDate(std::string_view& text, bool lenient, int64_t& days) {
  if (text.size() >= 10 && text[4] == '-' && text[7] == '-') {
    unsigned bad = 0;
    const int year = Two(text.data(), bad) * 100 + Two(text.data() + 2, bad);
    const int month = Two(text.data() + 5, bad);
    const int day = Two(text.data() + 8, bad);
    if (bad == 0) {
      text.remove_prefix(10);
      return MakeDays(year, month, day, days);
    }
  }
  if (!lenient) return false;
  int year = 0;
  int month = 1;
  int day = 1;
  if (!TakeNumber(text, 4, year)) return false;
  if (TakeChar(text, '-')) {
    if (!TakeNumber(text, 2, month)) return false;
    if (TakeChar(text, '-') && !TakeNumber(text, 2, day)) return false;
  }
  return MakeDays(year, month, day, days);
}

bool TakeFraction(std::string_view& text, int32_t& nanos) {
  nanos = 0;
  if (!TakeChar(text, '.')) return true;
  size_t n = 0;
  int32_t scale = 100'000'000;
  while (n < text.size() && IsDigit(text[n])) {
    if (n >= 9) return false;
    nanos += (text[n] - '0') * scale;
    scale /= 10;
    ++n;
  }
  text.remove_prefix(n);
  return n > 0;
}

bool TakeClock(std::string_view& text, bool lenient, int64_t& seconds, int32_t& nanos) {
  int hour = 0;
  int minute = 0;
  int second = 0;
  nanos = 0;
  unsigned bad = 0;
  if (text.size() >= 8 && text[2] == ':' && text[5] == ':') {
    hour = Two(text.data(), bad);
    minute = Two(text.data() + 3, bad);
    second = Two(text.data() + 6, bad);
    text.remove_prefix(8);
  } else if (text.size() >= 5 && text[2] == ':') {
    hour = Two(text.data(), bad);
    minute = Two(text.data() + 3, bad);
    text.remove_prefix(5);
  } else {
    if (!lenient || !TakeNumber(text, 2, hour)) return false;
    if (TakeChar(text, ':')) {
      if (!TakeNumber(text, 2, minute)) return false;
      if (TakeChar(text, ':') && !TakeNumber(text, 2, second)) return false;
    }
  }
  if (bad != 0 || hour > 23 || minute > 59 || second > 59) return false;
  seconds = hour * 3600 + minute * 60 + second;
  return TakeFraction(text, nanos);
}

bool TakeZone(std::string_view& text, TimestampText& out) {
  if (TakeChar(text, 'Z') || TakeChar(text, 'z')) {
    out.has_zone = out.is_utc = true;
    return true;
  }
  if (text.empty() || (text[0] != '+' && text[0] != '-')) return true;
  const int sign = text[0] == '-' ? -1 : 1;
  text.remove_prefix(1);
  unsigned bad = text.size() < 2;
  const int hour = bad != 0 ? 0 : Two(text.data(), bad);
  int minute = 0;
  if (bad != 0) return false;
  text.remove_prefix(2);
  TakeChar(text, ':');
  if (text.size() >= 2) {
    minute = Two(text.data(), bad);
    text.remove_prefix(2);
  }
  if (bad != 0 || hour > 18 || minute > 59) return false;
  out.has_zone = true;
  out.zone_seconds = sign * (hour * 3600 + minute * 60);
  out.is_utc = out.zone_seconds == 0;
  return true;
}

std::string_view Trimmed(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

int64_t UnitsPerSecond(int precision) {
  if (precision <= 3) return 1'000;
  return precision <= 6 ? 1'000'000 : 1'000'000'000;
}

void AppendTwo(int value, std::string& out) {
  out += static_cast<char>('0' + value / 10);
  out += static_cast<char>('0' + value % 10);
}

void AppendClock(int64_t second_of_day, std::string& out) {
  AppendTwo(static_cast<int>(second_of_day / 3600), out);
  out += ':';
  AppendTwo(static_cast<int>(second_of_day / 60 % 60), out);
  out += ':';
  AppendTwo(static_cast<int>(second_of_day % 60), out);
}

void AppendFraction(int64_t nanos, int precision, FractionDigits digits, std::string& out) {
  char text[10];
  text[0] = '.';
  for (int i = 9; i >= 1; --i) {
    text[i] = static_cast<char>('0' + nanos % 10);
    nanos /= 10;
  }
  int length = 9;
  const int keep = digits == FractionDigits::kAsPrecision ? precision : 0;
  while (length > keep && text[length] == '0') --length;
  if (length > 0) out.append(text, static_cast<size_t>(length) + 1);
}

template <typename Builder, typename Parse>
Status ParseColumn(const arrow::StringArray& text, Builder& builder, std::vector<int32_t>* bad, Parse parse) {
  TM_ARROW_RETURN_IF_ERROR(builder.Reserve(text.length()), "parse text");
  for (int64_t i = 0; i < text.length(); ++i) {
    typename Builder::value_type value = 0;
    if (text.IsNull(i)) {
      builder.UnsafeAppendNull();
    } else if (parse(text.GetView(i), value)) {
      builder.UnsafeAppend(value);
    } else {
      builder.UnsafeAppendNull();
      if (bad != nullptr) bad->push_back(static_cast<int32_t>(i));
    }
  }
  return Status::OK();
}

}  // namespace

// Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms", days_from_civil and civil_from_days.
int64_t DaysFromCivil(int64_t year, int month, int day) {
  year -= month <= 2;
  const int64_t era = (year >= 0 ? year : year - 399) / 400;
  const int64_t year_of_era = year - era * 400;
  const int64_t day_of_year = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1;
  const int64_t day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
  return era * 146'097 + day_of_era - 719'468;
}

void CivilFromDays(int64_t days, int64_t& year, int& month, int& day) {
  days += 719'468;
  const int64_t era = (days >= 0 ? days : days - 146'096) / 146'097;
  const int64_t day_of_era = days - era * 146'097;
  const int64_t year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36'524 - day_of_era / 146'096) / 365;
  const int64_t day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
  const int64_t shifted = (5 * day_of_year + 2) / 153;
  day = static_cast<int>(day_of_year - (153 * shifted + 2) / 5 + 1);
  month = static_cast<int>(shifted < 10 ? shifted + 3 : shifted - 9);
  year = year_of_era + era * 400 + (month <= 2);
}

bool ParseDateText(std::string_view text, TimeSyntax syntax, int32_t& days) {
  const bool lenient = syntax == TimeSyntax::kCast;
  if (lenient) text = Trimmed(text);
  int64_t wide = 0;
  if (!TakeDate(text, lenient, wide)) return false;
  days = static_cast<int32_t>(wide);
  if (text.empty()) return true;
  if (!lenient || (text[0] != ' ' && text[0] != 'T')) return false;
  text.remove_prefix(1);  // CAST of a timestamp's text to DATE drops the clock
  int64_t seconds = 0;
  int32_t nanos = 0;
  return TakeClock(text, true, seconds, nanos) && text.empty();
}

bool ParseTimeText(std::string_view text, TimeSyntax syntax, int32_t& millis) {
  const bool lenient = syntax == TimeSyntax::kCast;
  if (lenient) text = Trimmed(text);
  int64_t seconds = 0;
  int32_t nanos = 0;
  if (!TakeClock(text, lenient, seconds, nanos)) return false;
  TakeChar(text, 'Z');
  millis = static_cast<int32_t>(seconds * 1000 + nanos / 1'000'000);
  return text.empty();
}

bool ParseTimestampText(std::string_view text, TimeSyntax syntax, TimestampText& out) {
  const bool lenient = syntax == TimeSyntax::kCast;
  if (lenient) text = Trimmed(text);
  int64_t days = 0;
  if (!TakeDate(text, lenient, days)) return false;
  out = {};
  out.seconds = days * kSecondsPerDay;
  if (text.empty()) return lenient;
  const char separator = text[0];
  const bool separated =
      (separator == ' ' && syntax != TimeSyntax::kIso8601) || (separator == 'T' && syntax != TimeSyntax::kSql);
  if (!separated) return false;
  text.remove_prefix(1);
  int64_t seconds = 0;
  if (!TakeClock(text, lenient, seconds, out.nanos)) return false;
  out.seconds += seconds;
  if (text.empty()) return true;
  if (lenient && text[0] == ' ') text = Trimmed(text);
  return TakeZone(text, out) && text.empty();
}

bool TimestampValue(int64_t seconds, int32_t nanos, int precision, int64_t& out) {
  const int64_t units = UnitsPerSecond(precision);
  if (__builtin_mul_overflow(seconds, units, &out)) return false;
  return !__builtin_add_overflow(out, nanos / (1'000'000'000 / units), &out);
}

bool ParseTimestampValue(std::string_view text, TimeSyntax syntax, const DataType& type, int64_t& out) {
  TimestampText parsed;
  if (!ParseTimestampText(text, syntax, parsed)) return false;
  if (type.kind() == TypeKind::kTimestamp && parsed.has_zone && !parsed.is_utc) return false;
  return TimestampValue(parsed.seconds - parsed.zone_seconds, parsed.nanos, type.precision(), out);
}

int64_t LocalToUtcSeconds(int64_t local_seconds, const cctz::time_zone& zone) {
  const cctz::civil_second civil = cctz::civil_second() + local_seconds;
  const auto found = zone.lookup(civil);
  // Before a gap the old offset applies, which moves the skipped clock on by the jump; for a doubled clock `pre` is the
  // first time.
  return found.pre.time_since_epoch().count();
}

int64_t UtcToLocalSeconds(int64_t utc_seconds, const cctz::time_zone& zone) {
  const cctz::time_point<cctz::seconds> instant{cctz::seconds(utc_seconds)};
  return utc_seconds + zone.lookup(instant).offset;
}

Result<std::shared_ptr<arrow::Array>> TextToTime(const arrow::Array& text, const DataType& to,
                                                 const cctz::time_zone* zone, std::vector<int32_t>* bad) {
  if (text.type_id() != arrow::Type::STRING)
    return Status(kUnsupportedType, "expected text, found " + text.type()->ToString());
  const auto& strings = static_cast<const arrow::StringArray&>(text);
  std::shared_ptr<arrow::Array> out;
  if (to.kind() == TypeKind::kDate) {
    arrow::Date32Builder builder;
    TM_RETURN_IF_ERROR(ParseColumn(
        strings, builder, bad, [](std::string_view t, int32_t& v) { return ParseDateText(t, TimeSyntax::kCast, v); }));
    TM_ARROW_RETURN_IF_ERROR(builder.Finish(&out), "parse dates");
    return out;
  }
  if (to.kind() == TypeKind::kTime) {
    arrow::Time32Builder builder(ToArrow(to), arrow::default_memory_pool());
    TM_RETURN_IF_ERROR(ParseColumn(
        strings, builder, bad, [](std::string_view t, int32_t& v) { return ParseTimeText(t, TimeSyntax::kCast, v); }));
    TM_ARROW_RETURN_IF_ERROR(builder.Finish(&out), "parse times");
    return out;
  }
  if (!to.IsTimestamp()) return Status(kUnsupportedType, to.ToString() + " is no time");
  arrow::TimestampBuilder builder(ToArrow(to), arrow::default_memory_pool());
  const bool local = to.kind() == TypeKind::kTimestampLtz && zone != nullptr;
  TM_RETURN_IF_ERROR(ParseColumn(strings, builder, bad, [&to, zone, local](std::string_view t, int64_t& value) {
    if (!local) return ParseTimestampValue(t, TimeSyntax::kCast, to, value);
    TimestampText parsed;
    if (!ParseTimestampText(t, TimeSyntax::kCast, parsed)) return false;
    const int64_t utc =
        parsed.has_zone ? parsed.seconds - parsed.zone_seconds : LocalToUtcSeconds(parsed.seconds, *zone);
    return TimestampValue(utc, parsed.nanos, to.precision(), value);
  }));
  TM_ARROW_RETURN_IF_ERROR(builder.Finish(&out), "parse timestamps");
  return out;
}

Result<std::shared_ptr<arrow::Array>> TimeToText(const arrow::Array& values, const DataType& from,
                                                 const cctz::time_zone* zone) {
  arrow::StringBuilder builder;
  TM_ARROW_RETURN_IF_ERROR(builder.Reserve(values.length()), "format times");
  const bool local = from.kind() == TypeKind::kTimestampLtz && zone != nullptr;
  const int64_t units = UnitsPerSecond(from.precision());
  std::string text;
  for (int64_t i = 0; i < values.length(); ++i) {
    if (values.IsNull(i)) {
      builder.UnsafeAppendNull();
      continue;
    }
    text.clear();
    if (from.kind() == TypeKind::kDate) {
      AppendDateText(static_cast<const arrow::Date32Array&>(values).Value(i), text);
    } else if (from.kind() == TypeKind::kTime) {
      AppendTimeText(static_cast<const arrow::Time32Array&>(values).Value(i), FractionDigits::kMinimal, text);
    } else if (from.IsTimestamp()) {
      int64_t value = static_cast<const arrow::TimestampArray&>(values).Value(i);
      if (local) {
        const int64_t utc = value >= 0 ? value / units : (value - units + 1) / units;
        value += (UtcToLocalSeconds(utc, *zone) - utc) * units;
      }
      AppendTimestampText(value, from.precision(), ' ', FractionDigits::kAsPrecision, text);
    } else {
      return Status(kUnsupportedType, from.ToString() + " is no time");
    }
    TM_ARROW_RETURN_IF_ERROR(builder.Append(text), "format times");
  }
  std::shared_ptr<arrow::Array> out;
  TM_ARROW_RETURN_IF_ERROR(builder.Finish(&out), "format times");
  return out;
}

void AppendDateText(int32_t days, std::string& out) {
  int64_t year = 0;
  int month = 0;
  int day = 0;
  CivilFromDays(days, year, month, day);
  if (year < 0 || year > 9999) {
    out += year < 0 ? '-' : '+';  // ISO 8601's expanded years
    out += std::to_string(year < 0 ? -year : year);
  } else {
    AppendTwo(static_cast<int>(year / 100), out);
    AppendTwo(static_cast<int>(year % 100), out);
  }
  out += '-';
  AppendTwo(month, out);
  out += '-';
  AppendTwo(day, out);
}

void AppendTimeText(int32_t millis, FractionDigits digits, std::string& out) {
  AppendClock(millis / 1000, out);
  AppendFraction(int64_t{millis % 1000} * 1'000'000, 3, digits, out);
}

void AppendTimestampText(int64_t value, int precision, char separator, FractionDigits digits, std::string& out) {
  const int64_t units = UnitsPerSecond(precision);
  int64_t seconds = value / units;
  int64_t fraction = value % units;
  if (fraction < 0) {
    fraction += units;
    --seconds;
  }
  int64_t days = seconds / kSecondsPerDay;
  int64_t second_of_day = seconds % kSecondsPerDay;
  if (second_of_day < 0) {
    second_of_day += kSecondsPerDay;
    --days;
  }
  AppendDateText(static_cast<int32_t>(days), out);
  out += separator;
  AppendClock(second_of_day, out);
  AppendFraction(fraction * (1'000'000'000 / units), precision, digits, out);
}

}  // namespace tidemill
