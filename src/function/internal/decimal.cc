#include "function/internal/decimal.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>

namespace tidemill {
namespace {

constexpr std::array<Int128, 39> MakePowers() {
  std::array<Int128, 39> powers{};
  Int128 power = 1;
  for (Int128& p : powers) {
    p = power;
    power = static_cast<Int128>(static_cast<unsigned __int128>(power) * 10u);
  }
  return powers;
}
constexpr std::array<Int128, 39> kPowers = MakePowers();

bool IsBlank(char c) { return static_cast<unsigned char>(c) <= ' '; }

}  // namespace

Int128 PowerOfTen(int exponent) { return kPowers[static_cast<size_t>(exponent)]; }

bool Rescale(Int128 value, int from_scale, int precision, int to_scale, Int128& out) {
  if (to_scale >= from_scale) {
    const int up = to_scale - from_scale;
    // |value| * 10^up < 10^precision  <=>  |value| < 10^(precision - up)
    if (value != 0 && (precision < up || AbsoluteOf(value) >= PowerOfTen(precision - up))) return false;
    out = value * PowerOfTen(up);
    return true;
  }
  out = DivideHalfUp(value, PowerOfTen(from_scale - to_scale));
  return FitsPrecision(out, precision);
}

DecimalParse ParseDecimal(std::string_view text, int precision, int scale, Int128& out) {
  while (!text.empty() && IsBlank(text.front())) text.remove_prefix(1);
  while (!text.empty() && IsBlank(text.back())) text.remove_suffix(1);
  bool negative = false;
  if (!text.empty() && (text[0] == '+' || text[0] == '-')) {
    negative = text[0] == '-';
    text.remove_prefix(1);
  }
  int64_t exponent = 0;
  if (const size_t e = text.find_first_of("eE"); e != std::string_view::npos) {
    std::string_view digits = text.substr(e + 1);
    if (!digits.empty() && digits[0] == '+') digits.remove_prefix(1);
    const auto parsed = std::from_chars(digits.data(), digits.data() + digits.size(), exponent);
    if (parsed.ec != std::errc() || parsed.ptr != digits.data() + digits.size()) return DecimalParse::kMalformed;
    exponent = std::clamp<int64_t>(exponent, -100'000, 100'000);
    text = text.substr(0, e);
  }
  // All digits of the number are d[0] d[1] ...; the point stands after `point` of them.
  int64_t point = -1;
  int64_t digits = 0;
  for (char c : text) {
    if (c == '.') {
      if (point >= 0) return DecimalParse::kMalformed;
      point = digits;
    } else if (c >= '0' && c <= '9') {
      ++digits;
    } else {
      return DecimalParse::kMalformed;
    }
  }
  if (digits == 0) return DecimalParse::kMalformed;
  const int64_t keep = (point < 0 ? digits : point) + exponent + scale;  // digits that make the unscaled value
  Int128 value = 0;
  int64_t seen = 0;
  bool round_up = false;
  for (char c : text) {
    if (c == '.') continue;
    if (seen == keep) round_up = c >= '5';
    if (seen >= keep) break;
    value = value * 10 + (c - '0');
    if (value >= PowerOfTen(kDecimalDigitsMax)) return DecimalParse::kTooLarge;
    ++seen;
  }
  if (seen < keep && value != 0) {
    if (keep - seen > kDecimalDigitsMax || value >= PowerOfTen(kDecimalDigitsMax - static_cast<int>(keep - seen))) {
      return DecimalParse::kTooLarge;
    }
    value *= PowerOfTen(static_cast<int>(keep - seen));
  }
  if (keep >= 0 && round_up) ++value;
  if (!FitsPrecision(value, precision)) return DecimalParse::kTooLarge;
  out = negative ? -value : value;
  return DecimalParse::kOk;
}

void AppendDecimal(Int128 value, int scale, std::string& out) {
  char digits[48];
  int count = 0;
  unsigned __int128 rest = value < 0 ? -static_cast<unsigned __int128>(value) : static_cast<unsigned __int128>(value);
  do {
    digits[count++] = static_cast<char>('0' + static_cast<int>(rest % 10));
    rest /= 10;
  } while (rest != 0);
  while (count <= scale) digits[count++] = '0';
  if (value < 0) out += '-';
  while (count > 0) {
    if (count == scale) out += '.';
    out += digits[--count];
  }
}

bool DecimalFromDouble(double value, int precision, int scale, Int128& out) {
  if (!std::isfinite(value)) return false;
  char text[64];
  const auto end = std::to_chars(text, text + sizeof(text), value, std::chars_format::scientific);
  return ParseDecimal({text, static_cast<size_t>(end.ptr - text)}, precision, scale, out) == DecimalParse::kOk;
}

double DecimalToDouble(Int128 value, int scale) {
  // Both operands are exact doubles, so one division rounds once.
  if (AbsoluteOf(value) < (Int128{1} << 53) && scale <= 18) {
    return static_cast<double>(static_cast<int64_t>(value)) /
           static_cast<double>(static_cast<int64_t>(PowerOfTen(scale)));
  }
  // Through text: correctly rounded, and rare.
  std::string text;
  AppendDecimal(value, scale, text);
  double out = 0;
  std::from_chars(text.data(), text.data() + text.size(), out);
  return out;
}

}  // namespace tidemill
