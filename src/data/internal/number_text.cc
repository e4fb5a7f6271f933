#include "data/internal/number_text.h"

#include <charconv>
#include <cmath>
#include <limits>
#include <system_error>

namespace tidemill {
namespace {

bool IsDigit(char c) { return static_cast<unsigned char>(c - '0') <= 9; }

// Powers of ten that a double holds exactly.
constexpr double kPowersOfTen[] = {1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,  1e8,  1e9,  1e10, 1e11,
                                   1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};

struct ScannedNumber {
  uint64_t mantissa = 0;  // of the first 19 significant digits
  int digits = 0;         // significant digits in the text
  int64_t exponent = 0;   // value = mantissa * 10^exponent when digits <= 19
  bool negative = false;
  bool integer = true;  // neither point nor exponent
};

constexpr int64_t kExponentMax = 100'000;  // clamps what is written, beyond any double or decimal

// Scans a whole token; `strict` is JSON's grammar.
bool ScanNumber(std::string_view token, bool strict, ScannedNumber& out) {
  const char* p = token.data();
  const char* const end = p + token.size();
  if (p < end && (*p == '-' || (!strict && *p == '+'))) out.negative = *p++ == '-';
  const char* const first = p;
  uint64_t mantissa = 0;
  int digits = 0;
  while (p < end && IsDigit(*p)) {
    if (digits > 0 || *p != '0') {
      if (digits < 19) mantissa = mantissa * 10 + static_cast<uint64_t>(*p - '0');
      ++digits;
    }
    ++p;
  }
  const int64_t whole = p - first;
  if (strict && (whole == 0 || (whole > 1 && *first == '0'))) return false;
  int64_t exponent = digits > 19 ? digits - 19 : 0;
  int64_t fraction = 0;
  if (p < end && *p == '.') {
    out.integer = false;
    const char* const point = ++p;
    while (p < end && IsDigit(*p)) {
      if (digits > 0 || *p != '0') {
        if (digits < 19) {
          mantissa = mantissa * 10 + static_cast<uint64_t>(*p - '0');
          --exponent;
        }
        ++digits;
      } else {
        --exponent;
      }
      ++p;
    }
    fraction = p - point;
    if (strict && fraction == 0) return false;
  }
  if (whole + fraction == 0) return false;
  if (p < end && (*p == 'e' || *p == 'E')) {
    out.integer = false;
    ++p;
    bool minus = false;
    if (p < end && (*p == '+' || *p == '-')) minus = *p++ == '-';
    const char* const start = p;
    int64_t written = 0;
    while (p < end && IsDigit(*p)) {
      if (written < kExponentMax) written = written * 10 + (*p - '0');
      ++p;
    }
    if (p == start) return false;
    exponent += minus ? -written : written;
  }
  out.mantissa = mantissa;
  out.digits = digits;
  out.exponent = exponent;
  return p == end;
}

Conversion DoubleOf(std::string_view token, const ScannedNumber& number, double& out) {
  // Clinger's fast path: both factors exact, one rounding.
  if (number.digits <= 19 && number.mantissa <= (uint64_t{1} << 53) && number.exponent >= -22 &&
      number.exponent <= 22) {
    double value = static_cast<double>(number.mantissa);
    value = number.exponent < 0 ? value / kPowersOfTen[-number.exponent] : value * kPowersOfTen[number.exponent];
    out = number.negative ? -value : value;
    return Conversion::kOk;
  }
  if (!token.empty() && token[0] == '+') token.remove_prefix(1);
  const auto [end, error] = std::from_chars(token.data(), token.data() + token.size(), out);
  if (error == std::errc::result_out_of_range) {
    if (number.digits == 0 ||
        number.digits + number.exponent < 0) {  // too small, not too large: zero, as Java rounds it
      out = number.negative ? -0.0 : 0.0;
      return Conversion::kOk;
    }
    return Conversion::kOutOfRange;
  }
  return error == std::errc() && end == token.data() + token.size() ? Conversion::kOk : Conversion::kMalformed;
}

Conversion IntegerOf(const ScannedNumber& number, int64_t& out) {
  uint64_t magnitude = number.mantissa;
  int64_t exponent = number.exponent;
  if (magnitude != 0) {
    if (number.digits > 19 && exponent < 0)
      return Conversion::kWrongType;  // more digits than a BIGINT, some behind the point
    while (exponent < 0 && magnitude % 10 == 0) {
      magnitude /= 10;
      ++exponent;
    }
    if (exponent < 0) return Conversion::kWrongType;
    if (number.digits > 19 || exponent > 19) return Conversion::kOutOfRange;
    for (; exponent > 0; --exponent) {
      if (__builtin_mul_overflow(magnitude, uint64_t{10}, &magnitude)) return Conversion::kOutOfRange;
    }
  }
  const uint64_t limit = uint64_t{1} << 63;
  if (magnitude > limit || (magnitude == limit && !number.negative)) return Conversion::kOutOfRange;
  out = static_cast<int64_t>(number.negative ? 0 - magnitude : magnitude);
  return Conversion::kOk;
}

}  // namespace

std::string_view TrimAsJava(std::string_view text) {
  // Java's trim: everything up to the blank.
  while (!text.empty() && static_cast<unsigned char>(text.front()) <= ' ') text.remove_prefix(1);
  while (!text.empty() && static_cast<unsigned char>(text.back()) <= ' ') text.remove_suffix(1);
  return text;
}

Conversion ParseJsonInteger(std::string_view token, int64_t& out) {
  // Up to 18 digits can't overflow; nearly every number ends here.
  const bool negative = !token.empty() && token[0] == '-';
  const char* p = token.data() + (negative ? 1 : 0);
  const char* const end = token.data() + token.size();
  const int64_t length = end - p;
  if (length >= 1 && length <= 18 && (*p != '0' || length == 1)) {
    int64_t value = 0;
    while (p < end && IsDigit(*p)) value = value * 10 + (*p++ - '0');
    if (p == end) {
      out = negative ? -value : value;
      return Conversion::kOk;
    }
  }
  ScannedNumber number;
  if (!ScanNumber(token, true, number)) return Conversion::kMalformed;
  return IntegerOf(number, out);
}

Conversion ParseJsonDouble(std::string_view token, double& out) {
  ScannedNumber number;
  if (!ScanNumber(token, true, number)) return Conversion::kMalformed;
  return DoubleOf(token, number, out);
}

Conversion ParseJavaInteger(std::string_view text, int64_t& out) {
  text = TrimAsJava(text);
  ScannedNumber number;
  if (!ScanNumber(text, false, number) || !number.integer) return Conversion::kWrongType;
  return IntegerOf(number, out);
}

Conversion ParseJavaDouble(std::string_view text, double& out) {
  text = TrimAsJava(text);
  ScannedNumber number;
  if (ScanNumber(text, false, number)) return DoubleOf(text, number, out);
  const bool negative = !text.empty() && text[0] == '-';
  if (negative || (!text.empty() && text[0] == '+')) text.remove_prefix(1);
  if (text == "NaN") {
    out = std::numeric_limits<double>::quiet_NaN();
    return Conversion::kOk;
  }
  if (text == "Infinity") {
    out = negative ? -std::numeric_limits<double>::infinity() : std::numeric_limits<double>::infinity();
    return Conversion::kOk;
  }
  return Conversion::kWrongType;
}

Conversion ParseDecimal(std::string_view text, int precision, int scale, arrow::Decimal128& out) {
  text = TrimAsJava(text);
  ScannedNumber number;
  if (!ScanNumber(text, false, number)) return Conversion::kWrongType;
  // The significant digits, and how many of them stand before the cut at `scale`.
  const size_t e = text.find_first_of("eE");
  const std::string_view significand = text.substr(0, e);
  const int64_t last_exponent = number.digits <= 19 ? number.exponent : number.exponent - (number.digits - 19);
  const int64_t keep = number.digits + last_exponent + scale;
  if (number.digits == 0 || keep < 0) {
    out = arrow::Decimal128(0);
    return Conversion::kOk;
  }
  if (keep > precision) return Conversion::kOutOfRange;
  unsigned __int128 value = 0;
  int64_t seen = 0;
  bool round_up = false;
  for (const char c : significand) {
    if (!IsDigit(c) || (seen == 0 && c == '0')) continue;
    if (seen < keep) {
      value = value * 10 + static_cast<unsigned>(c - '0');
    } else {
      round_up = c >= '5';
      break;
    }
    ++seen;
  }
  for (; seen < keep; ++seen) value *= 10;
  if (round_up) ++value;
  unsigned __int128 limit = 1;
  for (int i = 0; i < precision; ++i) limit *= 10;
  if (value >= limit) return Conversion::kOutOfRange;
  out = arrow::Decimal128(static_cast<int64_t>(value >> 64), static_cast<uint64_t>(value));
  if (number.negative) out.Negate();
  return Conversion::kOk;
}

bool IsJsonNumber(std::string_view token) {
  ScannedNumber number;
  return ScanNumber(token, true, number);
}

}  // namespace tidemill
