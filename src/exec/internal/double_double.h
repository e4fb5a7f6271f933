#pragma once

#include <cmath>

namespace tidemill {

// A number as the unevaluated sum of two doubles, |low| <= ulp(high) / 2: about 106 bits (Dekker 1971; Knuth,
// TAOCP 4.2.2).
struct DoubleDouble {
  double high = 0;
  double low = 0;
  double Value() const { return high + low; }
};

// a + b exactly.
inline DoubleDouble TwoSum(double a, double b) {
  const double sum = a + b;
  const double b_part = sum - a;
  return {sum, (a - (sum - b_part)) + (b - b_part)};
}
// The same for |a| >= |b|.
inline DoubleDouble QuickTwoSum(double a, double b) {
  const double sum = a + b;
  return {sum, b - (sum - a)};
}
// a * b exactly, unless it overflows.
inline DoubleDouble TwoProduct(double a, double b) {
  constexpr double kSplit = 134217729.0;  // 2^27 + 1
  const double product = a * b;
  const double a_big = kSplit * a;
  const double a_high = a_big - (a_big - a);
  const double a_low = a - a_high;
  const double b_big = kSplit * b;
  const double b_high = b_big - (b_big - b);
  const double b_low = b - b_high;
  return {product, ((a_high * b_high - product) + a_high * b_low + a_low * b_high) + a_low * b_low};
}

// sum += x. True when bits of the exact sum were lost.
inline bool AddTo(DoubleDouble& sum, double x) {
  const DoubleDouble first = TwoSum(sum.high, x);
  const DoubleDouble second = TwoSum(first.low, sum.low);
  const DoubleDouble result = QuickTwoSum(first.high, second.high);
  sum.high = result.high;
  const DoubleDouble tail = TwoSum(result.low, second.low);
  sum.low = tail.high;
  return tail.low != 0;
}
inline bool AddTo(DoubleDouble& sum, const DoubleDouble& x) {
  const bool lost = AddTo(sum, x.high);
  return AddTo(sum, x.low) || lost;
}

inline DoubleDouble Multiply(const DoubleDouble& a, const DoubleDouble& b) {
  DoubleDouble product = TwoProduct(a.high, b.high);
  product.low += a.high * b.low + a.low * b.high;
  return QuickTwoSum(product.high, product.low);
}

inline DoubleDouble Divide(const DoubleDouble& a, double b) {
  const double first = a.high / b;
  DoubleDouble rest = TwoProduct(first, b);
  rest = {-rest.high, -rest.low};
  AddTo(rest, a);
  return QuickTwoSum(first, rest.Value() / b);
}

}  // namespace tidemill
