#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace tidemill {

// DECIMAL values: an unscaled 128-bit integer whose scale the type has. All roundings are HALF_UP (away from zero at
// the half).
using Int128 = __int128;

inline constexpr int kDecimalDigitsMax = 38;

Int128 PowerOfTen(int exponent);  // 0 .. 38
inline Int128 AbsoluteOf(Int128 value) { return value < 0 ? -value : value; }
inline bool FitsPrecision(Int128 value, int precision) { return AbsoluteOf(value) < PowerOfTen(precision); }
// value / divisor, HALF_UP; divisor > 0.
inline Int128 DivideHalfUp(Int128 value, Int128 divisor) {
  const Int128 quotient = value / divisor;
  const Int128 rest = AbsoluteOf(value % divisor);
  if (rest >= divisor - rest) return quotient + (value < 0 ? -1 : 1);
  return quotient;
}
// From one scale to another; false when it does not fit `precision` digits.
bool Rescale(Int128 value, int from_scale, int precision, int to_scale, Int128& out);

enum class DecimalParse : uint8_t { kOk, kMalformed, kTooLarge };
// "-12.345", "1e3"; surrounding blanks allowed.
DecimalParse ParseDecimal(std::string_view text, int precision, int scale, Int128& out);
void AppendDecimal(Int128 value, int scale, std::string& out);
// The decimal nearest to a double's shortest text, as Java's BigDecimal.valueOf.
bool DecimalFromDouble(double value, int precision, int scale, Int128& out);
double DecimalToDouble(Int128 value, int scale);

}  // namespace tidemill
