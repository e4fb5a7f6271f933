#include "function/internal/time_unit.h"

#include <array>
#include <utility>

namespace tidemill {

std::optional<TimeUnit> ParseTimeUnit(std::string_view word) {
  static constexpr std::array<std::pair<std::string_view, TimeUnit>, 19> kWords = {{
      {"MILLENNIUM", TimeUnit::kMillennium},
      {"CENTURY", TimeUnit::kCentury},
      {"DECADE", TimeUnit::kDecade},
      {"YEAR", TimeUnit::kYear},
      {"ISOYEAR", TimeUnit::kIsoYear},
      {"QUARTER", TimeUnit::kQuarter},
      {"MONTH", TimeUnit::kMonth},
      {"WEEK", TimeUnit::kWeek},
      {"DAY", TimeUnit::kDay},
      {"DOY", TimeUnit::kDayOfYear},
      {"DOW", TimeUnit::kDayOfWeek},
      {"ISODOW", TimeUnit::kIsoDayOfWeek},
      {"HOUR", TimeUnit::kHour},
      {"MINUTE", TimeUnit::kMinute},
      {"SECOND", TimeUnit::kSecond},
      {"MILLISECOND", TimeUnit::kMillisecond},
      {"MICROSECOND", TimeUnit::kMicrosecond},
      {"NANOSECOND", TimeUnit::kNanosecond},
      {"EPOCH", TimeUnit::kEpoch},
  }};
  std::string upper;
  for (char c : word) upper += c >= 'a' && c <= 'z' ? static_cast<char>(c - 32) : c;
  std::string_view text = upper;
  if (text.starts_with("SQL_TSI_")) text.remove_prefix(8);
  if (text.ends_with("S")) text.remove_suffix(1);
  for (const auto& [name, unit] : kWords) {
    if (name == text) return unit;
  }
  return std::nullopt;
}

Result<TimeUnit> UnitArgument(std::string_view function, Args args, size_t index) {
  TM_ASSIGN_OR_RETURN(const std::string word, LiteralString(function, args, index, "the unit"));
  const std::optional<TimeUnit> unit = ParseTimeUnit(word);
  if (!unit) return Status(kWrongArguments, std::string(function) + ": no time unit '" + word + "'");
  return *unit;
}

int64_t MonthsOf(TimeUnit unit) {
  switch (unit) {
    case TimeUnit::kMillennium:
      return 12'000;
    case TimeUnit::kCentury:
      return 1'200;
    case TimeUnit::kDecade:
      return 120;
    case TimeUnit::kYear:
      return 12;
    case TimeUnit::kQuarter:
      return 3;
    case TimeUnit::kMonth:
      return 1;
    default:
      return 0;
  }
}

int64_t MillisOf(TimeUnit unit) {
  switch (unit) {
    case TimeUnit::kWeek:
      return 7 * kDayMs;
    case TimeUnit::kDay:
      return kDayMs;
    case TimeUnit::kHour:
      return 3'600'000;
    case TimeUnit::kMinute:
      return 60'000;
    case TimeUnit::kSecond:
      return 1'000;
    case TimeUnit::kMillisecond:
      return 1;
    default:
      return 0;
  }
}

int64_t FloorTo(int64_t local_ms, TimeUnit unit) {
  const int64_t days = FloorDiv(local_ms, kDayMs);
  if (unit == TimeUnit::kWeek) return (days - FloorMod(days + 4, 7)) * kDayMs;
  if (const int64_t millis = MillisOf(unit); millis > 0) return FloorDiv(local_ms, millis) * millis;
  const CivilDate date = CivilOf(days);
  // Centuries and millennia begin with a year that ends in 1.
  const int64_t years = unit == TimeUnit::kMillennium ? 1000
                        : unit == TimeUnit::kCentury  ? 100
                        : unit == TimeUnit::kDecade   ? 10
                                                      : 1;
  const int64_t shift = years >= 100 ? 1 : 0;
  const int64_t year = FloorDiv(date.year - shift, years) * years + shift;
  const int month = unit == TimeUnit::kMonth     ? date.month
                    : unit == TimeUnit::kQuarter ? (date.month - 1) / 3 * 3 + 1
                                                 : 1;
  return DaysFromCivil(year, month, 1) * kDayMs;
}

int64_t CeilTo(int64_t local_ms, TimeUnit unit) {
  const int64_t floor = FloorTo(local_ms, unit);
  if (floor == local_ms) return floor;
  if (const int64_t months = MonthsOf(unit); months > 0) return AddMonths(FloorDiv(floor, kDayMs), months) * kDayMs;
  return floor + MillisOf(unit);
}

IsoWeek IsoWeekOf(int64_t days) {
  const int64_t thursday = days + 4 - IsoDayOfWeek(days);  // the year of a week is its Thursday's
  const CivilDate date = CivilOf(thursday);
  return {date.year, static_cast<int>((thursday - DaysFromCivil(date.year, 1, 1)) / 7) + 1};
}

int64_t MonthsBetween(int64_t from_ms, int64_t to_ms) {
  if (to_ms < from_ms) return -MonthsBetween(to_ms, from_ms);
  const int64_t from_days = FloorDiv(from_ms, kDayMs), to_days = FloorDiv(to_ms, kDayMs);
  const CivilDate from = CivilOf(from_days), to = CivilOf(to_days);
  int64_t months = (to.year - from.year) * 12 + to.month - from.month;
  const int64_t reached = AddMonths(from_days, months) * kDayMs + FloorMod(from_ms, kDayMs);
  if (reached > to_ms) --months;
  return months;
}

}  // namespace tidemill
