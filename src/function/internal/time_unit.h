#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "function/internal/bind.h"
#include "function/internal/civil.h"

namespace tidemill {

enum class TimeUnit : uint8_t {
  kMillennium,
  kCentury,
  kDecade,
  kYear,
  kIsoYear,
  kQuarter,
  kMonth,
  kWeek,
  kDay,
  kDayOfYear,
  kDayOfWeek,
  kIsoDayOfWeek,
  kHour,
  kMinute,
  kSecond,
  kMillisecond,
  kMicrosecond,
  kNanosecond,
  kEpoch,
};

// "DAY", "days", "SQL_TSI_DAY".
std::optional<TimeUnit> ParseTimeUnit(std::string_view word);
// The unit word of a call: a constant STRING argument.
Result<TimeUnit> UnitArgument(std::string_view function, Args args, size_t index);

// Month units as months, shorter ones as milliseconds; 0 where it is neither.
int64_t MonthsOf(TimeUnit unit);
int64_t MillisOf(TimeUnit unit);

// The start of the unit that a wall clock (ms) lies in; weeks begin on Sunday, as in Flink.
int64_t FloorTo(int64_t local_ms, TimeUnit unit);
// The next start, or the clock itself when it is one.
int64_t CeilTo(int64_t local_ms, TimeUnit unit);

struct IsoWeek {
  int64_t year;
  int week;
};
IsoWeek IsoWeekOf(int64_t days);

// Whole months from `from` to `to` (wall clocks in ms), cut toward zero; a shorter month's last day completes a month.
int64_t MonthsBetween(int64_t from_ms, int64_t to_ms);

}  // namespace tidemill
