#include "function/internal/time_format.h"

#include <array>

#include "function/errors.h"
#include "function/internal/civil.h"

namespace tidemill {
namespace {

constexpr std::array<std::string_view, 12> kMonths = {"January",   "February", "March",    "April",
                                                      "May",       "June",     "July",     "August",
                                                      "September", "October",  "November", "December"};
constexpr std::array<std::string_view, 7> kDays = {"Monday", "Tuesday",  "Wednesday", "Thursday",
                                                   "Friday", "Saturday", "Sunday"};

bool IsLetter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
bool IsDigit(char c) { return c >= '0' && c <= '9'; }

void AppendPadded(int64_t value, int width, std::string& out) {
  if (value < 0) {
    out += '-';
    value = -value;
  }
  const std::string digits = std::to_string(value);
  if (digits.size() < static_cast<size_t>(width)) out.append(static_cast<size_t>(width) - digits.size(), '0');
  out += digits;
}

bool TakeNumber(std::string_view& text, size_t least, size_t most, int64_t& out) {
  size_t n = 0;
  out = 0;
  while (n < most && n < text.size() && IsDigit(text[n])) out = out * 10 + (text[n++] - '0');
  text.remove_prefix(n);
  return n >= least && n > 0;
}

template <size_t N>
bool TakeName(std::string_view& text, const std::array<std::string_view, N>& names, bool full, int64_t& index) {
  for (size_t i = 0; i < N; ++i) {
    const std::string_view name = full ? names[i] : names[i].substr(0, 3);
    if (!text.starts_with(name)) continue;
    text.remove_prefix(name.size());
    index = static_cast<int64_t>(i);
    return true;
  }
  return false;
}

// "Z", "+02", "+0230", "+02:30".
bool TakeOffset(std::string_view& text, int32_t& offset_s) {
  if (text.starts_with('Z')) {
    text.remove_prefix(1);
    offset_s = 0;
    return true;
  }
  if (text.empty() || (text[0] != '+' && text[0] != '-')) return false;
  const int sign = text[0] == '-' ? -1 : 1;
  text.remove_prefix(1);
  int64_t hours = 0, minutes = 0;
  if (!TakeNumber(text, 2, 2, hours)) return false;
  std::string_view rest = text;
  if (rest.starts_with(':')) rest.remove_prefix(1);
  if (TakeNumber(rest, 2, 2, minutes)) text = rest;
  offset_s = static_cast<int32_t>(sign * (hours * 3600 + minutes * 60));
  return hours <= 18 && minutes < 60;
}

}  // namespace

Result<TimeFormat> TimeFormat::Make(std::string_view pattern) {
  TimeFormat format;
  const auto literal = [&format](std::string_view text) {
    if (format.items_.empty() || format.items_.back().letter != 0) format.items_.push_back(Item{0, 0, ""});
    format.items_.back().literal += text;
  };
  for (size_t i = 0; i < pattern.size();) {
    const char c = pattern[i];
    if (c == '\'') {
      if (i + 1 < pattern.size() && pattern[i + 1] == '\'') {
        literal("'");
        i += 2;
        continue;
      }
      const size_t close = pattern.find('\'', i + 1);
      if (close == std::string_view::npos)
        return Status(kInvalidArgument, "time pattern '" + std::string(pattern) + "' has an open quote");
      literal(pattern.substr(i + 1, close - i - 1));
      i = close + 1;
      continue;
    }
    if (!IsLetter(c)) {
      literal(pattern.substr(i, 1));
      ++i;
      continue;
    }
    size_t end = i;
    while (end < pattern.size() && pattern[end] == c) ++end;
    constexpr std::string_view kKnown = "yuMLdDEeQHkhKmsSaXxZ";
    if (kKnown.find(c) == std::string_view::npos) {
      return Status(kInvalidArgument, "time pattern '" + std::string(pattern) + "': letter '" + c + "' is not known");
    }
    format.has_offset_ |= c == 'X' || c == 'x' || c == 'Z';
    format.items_.push_back(Item{c == 'u' ? 'y' : c == 'L' ? 'M' : c, static_cast<int>(end - i), ""});
    i = end;
  }
  return format;
}

void TimeFormat::Format(int64_t seconds, int32_t nanos, std::string& out) const {
  const int64_t days = FloorDiv(seconds, 86'400);
  const int64_t clock = seconds - days * 86'400;
  const CivilDate date = CivilOf(days);
  const int64_t hour = clock / 3600;
  for (const Item& item : items_) {
    switch (item.letter) {
      case 0:
        out += item.literal;
        break;
      case 'y':
        if (item.count == 2)
          AppendPadded(FloorMod(date.year, 100), 2, out);
        else
          AppendPadded(date.year, item.count, out);
        break;
      case 'M':
        if (item.count >= 3)
          out += item.count == 3 ? kMonths[static_cast<size_t>(date.month - 1)].substr(0, 3)
                                 : kMonths[static_cast<size_t>(date.month - 1)];
        else
          AppendPadded(date.month, item.count, out);
        break;
      case 'd':
        AppendPadded(date.day, item.count, out);
        break;
      case 'D':
        AppendPadded(days - DaysFromCivil(date.year, 1, 1) + 1, item.count, out);
        break;
      case 'E': {
        const std::string_view name = kDays[static_cast<size_t>(IsoDayOfWeek(days) - 1)];
        out += item.count <= 3 ? name.substr(0, 3) : name;
        break;
      }
      case 'e':
        AppendPadded(FloorMod(days + 4, 7) + 1, item.count, out);
        break;
      case 'Q':
        AppendPadded((date.month - 1) / 3 + 1, item.count, out);
        break;
      case 'H':
        AppendPadded(hour, item.count, out);
        break;
      case 'k':
        AppendPadded(hour == 0 ? 24 : hour, item.count, out);
        break;
      case 'h':
        AppendPadded(hour % 12 == 0 ? 12 : hour % 12, item.count, out);
        break;
      case 'K':
        AppendPadded(hour % 12, item.count, out);
        break;
      case 'm':
        AppendPadded(clock / 60 % 60, item.count, out);
        break;
      case 's':
        AppendPadded(clock % 60, item.count, out);
        break;
      case 'a':
        out += hour < 12 ? "AM" : "PM";
        break;
      case 'S': {
        std::string digits;
        AppendPadded(nanos, 9, digits);
        digits.resize(static_cast<size_t>(item.count), '0');
        out += digits;
        break;
      }
      default:
        break;
    }
  }
}

bool TimeFormat::Parse(std::string_view text, Parsed& out) const {
  int64_t year = 1970, month = 1, day = 1, day_of_year = 0, hour = 0, hour12 = -1, minute = 0, second = 0, ignored = 0;
  bool afternoon = false;
  out = {};
  for (size_t i = 0; i < items_.size(); ++i) {
    const Item& item = items_[i];
    const auto count = static_cast<size_t>(item.count);
    // A number that another one follows takes exactly its own letters.
    const bool adjacent = i + 1 < items_.size() && items_[i + 1].letter != 0 && items_[i + 1].letter != 'a' &&
                          items_[i + 1].letter != 'E';
    const size_t most = adjacent || count >= 2 ? std::max<size_t>(count, 1) : 2;
    bool ok = true;
    switch (item.letter) {
      case 0:
        ok = text.starts_with(item.literal);
        if (ok) text.remove_prefix(item.literal.size());
        break;
      case 'y':
        ok = TakeNumber(text, count == 2 ? 2 : count, count == 2 ? 2 : adjacent ? count : 9, year);
        if (count == 2) year += 2000;
        break;
      case 'M':
        if (count >= 3) {
          ok = TakeName(text, kMonths, count > 3, month);
          ++month;
        } else {
          ok = TakeNumber(text, count, most, month);
        }
        break;
      case 'd':
        ok = TakeNumber(text, count, most, day);
        break;
      case 'D':
        ok = TakeNumber(text, count, 3, day_of_year) && day_of_year >= 1;
        break;
      case 'E':
        ok = TakeName(text, kDays, count > 3, ignored);
        break;
      case 'e':
      case 'Q':
        ok = TakeNumber(text, count, most, ignored);
        break;
      case 'H':
        ok = TakeNumber(text, count, most, hour) && hour < 24;
        break;
      case 'k':
        ok = TakeNumber(text, count, most, hour) && hour >= 1 && hour <= 24;
        hour %= 24;
        break;
      case 'h':
        ok = TakeNumber(text, count, most, hour12) && hour12 >= 1 && hour12 <= 12;
        break;
      case 'K':
        ok = TakeNumber(text, count, most, hour12) && hour12 < 12;
        break;
      case 'm':
        ok = TakeNumber(text, count, most, minute) && minute < 60;
        break;
      case 's':
        ok = TakeNumber(text, count, most, second) && second < 60;
        break;
      case 'a':
        afternoon = text.starts_with("PM") || text.starts_with("pm");
        ok = afternoon || text.starts_with("AM") || text.starts_with("am");
        if (ok) text.remove_prefix(2);
        break;
      case 'S': {
        int64_t fraction = 0;
        ok = count <= 9 && TakeNumber(text, count, count, fraction);
        for (size_t k = count; k < 9; ++k) fraction *= 10;
        out.nanos = static_cast<int32_t>(fraction);
        break;
      }
      default:
        ok = TakeOffset(text, out.offset_s);
        out.has_offset = true;
    }
    if (!ok) return false;
  }
  if (!text.empty() || month < 1 || month > 12 || day < 1 || day > DaysInMonth(year, static_cast<int>(month)))
    return false;
  if (day_of_year > (IsLeapYear(year) ? 366 : 365)) return false;
  if (hour12 >= 0) hour = hour12 % 12 + (afternoon ? 12 : 0);
  const int64_t days = day_of_year > 0 ? DaysFromCivil(year, 1, 1) + day_of_year - 1
                                       : DaysFromCivil(year, static_cast<int>(month), static_cast<int>(day));
  out.seconds = days * 86'400 + hour * 3600 + minute * 60 + second;
  return true;
}

}  // namespace tidemill
