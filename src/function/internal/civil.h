#pragma once

#include <algorithm>
#include <cstdint>

#include "data/time_text.h"

namespace tidemill {

// The proleptic Gregorian calendar on day numbers from 1970-01-01.
struct CivilDate {
  int64_t year;
  int month;  // 1 .. 12
  int day;    // 1 .. 31
};

inline constexpr int64_t kDayMs = 86'400'000;

// Times beyond the years that 64 bits hold wrap around, as integers do.
constexpr int64_t WrappingAdd(int64_t a, int64_t b) {
  return static_cast<int64_t>(static_cast<uint64_t>(a) + static_cast<uint64_t>(b));
}
constexpr int64_t WrappingSubtract(int64_t a, int64_t b) {
  return static_cast<int64_t>(static_cast<uint64_t>(a) - static_cast<uint64_t>(b));
}
constexpr int64_t WrappingMultiply(int64_t a, int64_t b) {
  return static_cast<int64_t>(static_cast<uint64_t>(a) * static_cast<uint64_t>(b));
}

constexpr int64_t FloorDiv(int64_t a, int64_t b) {
  const int64_t q = a / b;
  return a % b < 0 ? q - 1 : q;
}
constexpr int64_t FloorMod(int64_t a, int64_t b) {
  const int64_t r = a % b;
  return r < 0 ? r + b : r;
}

inline CivilDate CivilOf(int64_t days) {
  CivilDate date{};
  CivilFromDays(days, date.year, date.month, date.day);
  return date;
}

constexpr bool IsLeapYear(int64_t year) { return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0); }
constexpr int DaysInMonth(int64_t year, int month) {
  constexpr int kDays[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
  return month == 2 && IsLeapYear(year) ? 29 : kDays[month - 1];
}

// The same day `months` later, or the last one of that month when it is shorter.
inline int64_t AddMonths(int64_t days, int64_t months) {
  const CivilDate date = CivilOf(days);
  const int64_t month_number = date.year * 12 + date.month - 1 + months;
  const int64_t year = FloorDiv(month_number, 12);
  const int month = static_cast<int>(FloorMod(month_number, 12)) + 1;
  return DaysFromCivil(year, month, std::min(date.day, DaysInMonth(year, month)));
}

// 1 = Monday .. 7 = Sunday.
constexpr int IsoDayOfWeek(int64_t days) { return static_cast<int>(FloorMod(days + 3, 7)) + 1; }

}  // namespace tidemill
