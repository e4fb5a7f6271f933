#include <cstdio>
#include <string>

#include "base/clock.h"
#include "base/errors.h"

namespace tidemill {
namespace {

struct Unit {
  std::string_view name;
  int64_t factor;
};

// Nanoseconds. The names are Flink's (TimeUtils).
constexpr Unit kTimeUnits[] = {
    {"d", 86'400'000'000'000},
    {"day", 86'400'000'000'000},
    {"days", 86'400'000'000'000},
    {"h", 3'600'000'000'000},
    {"hour", 3'600'000'000'000},
    {"hours", 3'600'000'000'000},
    {"m", 60'000'000'000},
    {"min", 60'000'000'000},
    {"minute", 60'000'000'000},
    {"minutes", 60'000'000'000},
    {"s", 1'000'000'000},
    {"sec", 1'000'000'000},
    {"secs", 1'000'000'000},
    {"second", 1'000'000'000},
    {"seconds", 1'000'000'000},
    {"ms", 1'000'000},
    {"milli", 1'000'000},
    {"millis", 1'000'000},
    {"millisecond", 1'000'000},
    {"milliseconds", 1'000'000},
    {"us", 1'000},
    {"µs", 1'000},
    {"micro", 1'000},
    {"micros", 1'000},
    {"microsecond", 1'000},
    {"microseconds", 1'000},
    {"ns", 1},
    {"nano", 1},
    {"nanos", 1},
    {"nanosecond", 1},
    {"nanoseconds", 1},
};

// Bytes. The names are Flink's (MemorySize): powers of 1024.
constexpr Unit kByteUnits[] = {
    {"b", 1},
    {"byte", 1},
    {"bytes", 1},
    {"k", 1LL << 10},
    {"kb", 1LL << 10},
    {"kib", 1LL << 10},
    {"kibibytes", 1LL << 10},
    {"m", 1LL << 20},
    {"mb", 1LL << 20},
    {"mib", 1LL << 20},
    {"mebibytes", 1LL << 20},
    {"g", 1LL << 30},
    {"gb", 1LL << 30},
    {"gib", 1LL << 30},
    {"gibibytes", 1LL << 30},
    {"t", 1LL << 40},
    {"tb", 1LL << 40},
    {"tib", 1LL << 40},
    {"tebibytes", 1LL << 40},
};

template <size_t N>
const Unit* FindUnit(const Unit (&units)[N], std::string_view name) {
  for (const Unit& unit : units) {
    if (unit.name == name) return &unit;
  }
  return nullptr;
}

bool IsDigit(char c) { return c >= '0' && c <= '9'; }
bool IsSpace(char c) { return c == ' ' || c == '\t'; }

// Sum of `<digits>[.<digits>] [unit]` terms, in the smallest unit. False when the text is not of that form, does not
// fit, or has a rest.
template <size_t N>
bool ParseTerms(std::string_view text, const Unit (&units)[N], int64_t bare_factor, __int128* total) {
  size_t i = 0;
  int terms = 0;
  *total = 0;
  constexpr __int128 kMax = static_cast<__int128>(INT64_MAX) * 1'000'000;
  while (true) {
    while (i < text.size() && IsSpace(text[i])) ++i;
    if (i == text.size()) return terms > 0;
    __int128 value = 0, scale = 1;
    size_t digits = 0;
    bool fraction = false;
    for (; i < text.size() && (IsDigit(text[i]) || (text[i] == '.' && !fraction && digits > 0)); ++i) {
      if (text[i] == '.') {
        fraction = true;
        continue;
      }
      if (++digits > 19) return false;
      value = value * 10 + (text[i] - '0');
      if (fraction) scale *= 10;
    }
    if (digits == 0 || (fraction && scale == 1)) return false;
    while (i < text.size() && IsSpace(text[i])) ++i;
    std::string name;
    for (; i < text.size() && !IsDigit(text[i]) && !IsSpace(text[i]); ++i) {
      name += text[i] >= 'A' && text[i] <= 'Z' ? static_cast<char>(text[i] + 32) : text[i];
    }
    int64_t factor = bare_factor;
    if (!name.empty()) {
      const Unit* unit = FindUnit(units, name);
      if (unit == nullptr) return false;
      factor = unit->factor;
    } else if (terms > 0 || i < text.size()) {
      return false;  // a number without a unit stands alone
    }
    if (value * factor % scale != 0) return false;
    *total += value * factor / scale;
    if (*total > kMax) return false;
    ++terms;
  }
}

}  // namespace

Result<int64_t> ParseDurationMs(std::string_view text) {
  __int128 nanos = 0;
  if (!ParseTerms(text, kTimeUnits, 1'000'000, &nanos)) {
    return Status(
        kInvalidConfig,
        "'" + std::string(text) + "' is not a duration; expected for example '250 ms', '5 s', '1 h 30 min' or '7 d'");
  }
  if (nanos % 1'000'000 != 0) {
    return Status(kInvalidConfig, "duration '" + std::string(text) + "' is not a whole number of milliseconds");
  }
  const __int128 ms = nanos / 1'000'000;
  if (ms > INT64_MAX) return Status(kInvalidConfig, "duration '" + std::string(text) + "' is too long");
  return static_cast<int64_t>(ms);
}

Result<int64_t> ParseBytes(std::string_view text) {
  __int128 bytes = 0;
  if (!ParseTerms(text, kByteUnits, 1, &bytes) || bytes > INT64_MAX) {
    return Status(kInvalidConfig,
                  "'" + std::string(text) + "' is not a size; expected for example '4096', '64 kb', '64 mb' or '1 gb'");
  }
  return static_cast<int64_t>(bytes);
}

std::string FormatDurationMs(int64_t ms) {
  if (ms < 0) return ms == INT64_MIN ? "-inf" : "-" + FormatDurationMs(-ms);
  constexpr struct {
    int64_t ms;
    const char* name;
  } kSteps[] = {{86'400'000, "d"}, {3'600'000, "h"}, {60'000, "min"}, {1'000, "s"}};
  for (const auto& step : kSteps) {
    if (ms < step.ms) continue;
    if (ms % step.ms == 0) return std::to_string(ms / step.ms) + " " + step.name;
    char number[32];
    std::snprintf(number, sizeof(number), "%.1f", static_cast<double>(ms) / static_cast<double>(step.ms));
    std::string text = number;
    if (text.ends_with(".0")) text.resize(text.size() - 2);
    return text + " " + step.name;
  }
  return std::to_string(ms) + " ms";
}

}  // namespace tidemill
