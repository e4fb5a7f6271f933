#include <cmath>

#include "function/function_groups.h"
#include "function/internal/aggregate_bind.h"
#include "function/internal/compensated.h"
#include "function/internal/slot_accumulators.h"

namespace tidemill {
namespace {

// Sums of values and of their squares with twice a double's digits (Dekker 1971). That keeps the difference of the two
// exact enough where plain sums lose every digit (mean 1e9, deviation 1), merges by adding, and gives values back
// without drift, which Welford's update can't.
struct MomentState {
  double sum = 0, sum_rest = 0;
  double squares = 0, squares_rest = 0;
  int64_t not_finite = 0;
  int64_t count = 0;
};

void AddTo(double& sum, double& rest, double value, double value_rest) {
  const double next = sum + value;
  const double low = SumError(sum, value, next) + rest + value_rest;
  sum = next + low;
  rest = low - (sum - next);
}

// a * b = product + rest, exactly.
double Product(double a, double b, double& rest) {
  const auto split = [](double x, double& high, double& low) {
    const double scaled = 134'217'729.0 * x;  // 2^27 + 1
    high = scaled - (scaled - x);
    low = x - high;
  };
  const double product = a * b;
  double a_high, a_low, b_high, b_low;
  split(a, a_high, a_low);
  split(b, b_high, b_low);
  rest = ((a_high * b_high - product) + a_high * b_low + a_low * b_high) + a_low * b_low;
  return product;
}

void AddValue(MomentState& state, double value, int sign) {
  constexpr double kSquareMax = 1e150;  // beyond it squares overflow
  state.count += sign;
  if (!(std::fabs(value) < kSquareMax)) [[unlikely]] {
    state.not_finite += sign;
    return;
  }
  double square_rest;
  const double square = Product(value, value, square_rest);
  AddTo(state.sum, state.sum_rest, sign * value, 0);
  AddTo(state.squares, state.squares_rest, sign * square, sign * square_rest);
}

// Sum of squared distances from the mean.
double SquaredDistance(const MomentState& state) {
  const auto n = static_cast<double>(state.count);
  double square_rest;
  const double square = Product(state.sum, state.sum, square_rest);
  square_rest += 2 * state.sum * state.sum_rest;
  const double quotient = square / n;
  double back_rest;
  const double back = Product(quotient, n, back_rest);
  const double quotient_rest = ((square - back) - back_rest + square_rest) / n;
  const double distance = (state.squares - quotient) + (state.squares_rest - quotient_rest);
  // What lies below the digits that the sums hold is noise: equal values have no deviation.
  return distance > state.squares * 1e-29 ? distance : 0;
}

enum class Statistic : uint8_t { kVarPop, kVarSamp, kStddevPop, kStddevSamp };

template <Statistic kStatistic>
class Moments final : public SlotAccumulators<Moments<kStatistic>, MomentState> {
  using Base = SlotAccumulators<Moments<kStatistic>, MomentState>;

 public:
  static constexpr auto kFields =
      std::make_tuple(&MomentState::sum, &MomentState::sum_rest, &MomentState::squares, &MomentState::squares_rest,
                      &MomentState::not_finite, &MomentState::count);
  explicit Moments(const ResolvedAggregate&)
      : Base(StateSchema({{"sum", DoubleType()},
                          {"sum_rest", DoubleType()},
                          {"squares", DoubleType()},
                          {"squares_rest", DoubleType()},
                          {"not_finite", BigIntType()},
                          {"count", BigIntType()}})) {}
  static void Combine(MomentState& into, const MomentState& from) {
    const MomentState added = from;
    AddTo(into.sum, into.sum_rest, added.sum, added.sum_rest);
    AddTo(into.squares, into.squares_rest, added.squares, added.squares_rest);
    into.not_finite += added.not_finite;
    into.count += added.count;
  }
  bool retractable() const override { return true; }

  Status Update(std::span<const uint32_t> slots, std::span<const std::shared_ptr<arrow::Array>> args,
                const int8_t* kinds, const uint8_t* selected) override {
    const Reader<double> read(*args[0], false);
    MomentState* states = this->states_.data();
    ForEachCounted(static_cast<int64_t>(slots.size()), args[0].get(), kinds, selected, [&](int64_t i, int sign) {
      MomentState& state = states[slots[static_cast<size_t>(i)]];
      AddValue(state, read(i), sign);
      if (sign < 0 && state.count == 0) state = MomentState{};
    });
    return Status::OK();
  }
  Result<std::shared_ptr<arrow::Array>> Finish(std::span<const uint32_t> slots) const override {
    constexpr bool kSample = kStatistic == Statistic::kVarSamp || kStatistic == Statistic::kStddevSamp;
    constexpr bool kRoot = kStatistic == Statistic::kStddevPop || kStatistic == Statistic::kStddevSamp;
    return BuildColumn<double>(DoubleType(), static_cast<int64_t>(slots.size()), [&](int64_t i, double& out) {
      const MomentState& state = this->states_[slots[static_cast<size_t>(i)]];
      const int64_t divisor = state.count - (kSample ? 1 : 0);
      if (divisor <= 0) return false;
      const double variance = SquaredDistance(state) / static_cast<double>(divisor);
      out = state.not_finite > 0 ? NAN : kRoot ? std::sqrt(variance) : variance;
      return true;
    });
  }
};

template <Statistic kStatistic>
std::unique_ptr<Accumulators> MakeMoments(const ResolvedAggregate& resolved) {
  return std::make_unique<Moments<kStatistic>>(resolved);
}

template <Statistic kStatistic>
Result<ResolvedAggregate> ResolveMoments(Args args, bool distinct) {
  if (args.size() != 1 || !ImplicitlyCastable(args[0].type, DoubleType())) {
    return WrongArguments("the variance or deviation", args, "one number");
  }
  ResolvedAggregate resolved;
  resolved.result = DoubleType();
  resolved.arguments = {DoubleType().WithNullable(args[0].type.nullable())};
  resolved.distinct = distinct;
  resolved.make = MakeMaybeDistinct<MakeMoments<kStatistic>>;
  return resolved;
}

}  // namespace

std::vector<AggregateFunction> StatisticAggregates() {
  return {
      {"VAR_POP", "VAR_POP([DISTINCT] number) -> DOUBLE", "The variance of all values.",
       "VAR_POP(x) FROM (VALUES 1, 2, NULL, 6)", "4.666666666666667", ResolveMoments<Statistic::kVarPop>},
      {"VAR_SAMP", "VAR_SAMP([DISTINCT] number) -> DOUBLE",
       "The variance that a sample tells of its population; NULL below two values.",
       "VAR_SAMP(x) FROM (VALUES 1, 2, NULL, 6)", "7.0", ResolveMoments<Statistic::kVarSamp>},
      {"VARIANCE", "VARIANCE([DISTINCT] number) -> DOUBLE", "Another name of VAR_SAMP.",
       "VARIANCE(x) FROM (VALUES 1, 2, 6)", "7.0", ResolveMoments<Statistic::kVarSamp>},
      {"STDDEV_POP", "STDDEV_POP([DISTINCT] number) -> DOUBLE", "The standard deviation of all values.",
       "STDDEV_POP(x) FROM (VALUES 2, 4, 4, 4, 5, 5, 7, 9)", "2.0", ResolveMoments<Statistic::kStddevPop>},
      {"STDDEV_SAMP", "STDDEV_SAMP([DISTINCT] number) -> DOUBLE",
       "The standard deviation that a sample tells of its population; NULL below two values.",
       "STDDEV_SAMP(x) FROM (VALUES 1, 3, 5)", "2.0", ResolveMoments<Statistic::kStddevSamp>},
      {"STDDEV", "STDDEV([DISTINCT] number) -> DOUBLE", "Another name of STDDEV_SAMP.",
       "STDDEV(x) FROM (VALUES 1, 3, 5)", "2.0", ResolveMoments<Statistic::kStddevSamp>},
  };
}

}  // namespace tidemill
