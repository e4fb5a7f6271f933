#pragma once

#include <cmath>
#include <cstdint>

namespace tidemill {

// The rounding error of a + b, exactly (Knuth, TAOCP 4.2.2).
inline double SumError(double a, double b, double sum) {
  const double b_part = sum - a;
  return (a - (sum - b_part)) + (b - b_part);
}

// A sum of doubles that keeps what rounding loses beside it (Neumaier 1974), so that taking values back does not drift.
// NaN and infinities are counted apart: a window they have left is whole again.
struct CompensatedSum {
  double sum = 0;
  double lost = 0;
  int32_t nans = 0;
  int32_t plus_infinities = 0;
  int32_t minus_infinities = 0;

  void Add(double value, int sign) {
    if (!std::isfinite(value)) [[unlikely]] {
      (std::isnan(value) ? nans : value > 0 ? plus_infinities : minus_infinities) += sign;
      return;
    }
    AddFinite(sign < 0 ? -value : value);
  }
  void AddFinite(double value) {
    const double next = sum + value;
    lost += SumError(sum, value, next);
    sum = next;
  }
  void Merge(const CompensatedSum& other) {
    AddFinite(other.sum);
    lost += other.lost;
    nans += other.nans;
    plus_infinities += other.plus_infinities;
    minus_infinities += other.minus_infinities;
  }
  double Value() const {
    if (nans > 0 || (plus_infinities > 0 && minus_infinities > 0)) return NAN;
    if (plus_infinities > 0) return INFINITY;
    if (minus_infinities > 0) return -INFINITY;
    // A sum beyond the largest double is infinite; its error term is then NaN.
    return std::isfinite(sum) ? sum + lost : sum;
  }
};

}  // namespace tidemill
