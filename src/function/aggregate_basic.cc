#include "function/function_groups.h"
#include "function/internal/aggregate_bind.h"
#include "function/internal/compensated.h"
#include "function/internal/decimal.h"
#include "function/internal/slot_accumulators.h"

namespace tidemill {
namespace {

// ---- COUNT

struct CountState {
  int64_t count = 0;
};

class CountAccumulators final : public SlotAccumulators<CountAccumulators, CountState> {
 public:
  static constexpr auto kFields = std::make_tuple(&CountState::count);
  explicit CountAccumulators(const ResolvedAggregate&) : SlotAccumulators(StateSchema({{"count", BigIntType()}})) {}
  static void Combine(CountState& into, const CountState& from) { into.count += from.count; }
  bool retractable() const override { return true; }

  Status Update(std::span<const uint32_t> slots, std::span<const std::shared_ptr<arrow::Array>> args,
                const int8_t* kinds, const uint8_t* selected) override {
    ForEachCounted(static_cast<int64_t>(slots.size()), args.empty() ? nullptr : args[0].get(), kinds, selected,
                   [&](int64_t i, int sign) { states_[slots[i]].count += sign; });
    return Status::OK();
  }
  Result<std::shared_ptr<arrow::Array>> Finish(std::span<const uint32_t> slots) const override {
    return BuildColumn<int64_t>(BigIntType(), static_cast<int64_t>(slots.size()), [&](int64_t i, int64_t& out) {
      out = states_[slots[i]].count;
      return true;
    });
  }
};

// ---- SUM and AVG. The state keeps how many values it holds: none means NULL.

struct IntegerSum {
  int64_t sum = 0;
  int64_t count = 0;
};

struct FloatingSum {
  CompensatedSum sum;
  int64_t count = 0;
};

// 128 bits and what runs over them, so that sums may pass through values that do not fit.
struct DecimalSum {
  Int128 sum = 0;
  int64_t carry = 0;
  int64_t count = 0;
  void Add(Int128 value) {
    Int128 next;
    if (__builtin_add_overflow(sum, value, &next)) [[unlikely]]
      carry += value > 0 ? 1 : -1;
    sum = next;
  }
};

enum class SumResult : uint8_t { kSum, kAverage };

int64_t Wrapping(int64_t a, int64_t b) {
  return static_cast<int64_t>(static_cast<uint64_t>(a) + static_cast<uint64_t>(b));
}

template <typename In, SumResult kResult>
class IntegerSums final : public SlotAccumulators<IntegerSums<In, kResult>, IntegerSum> {
  using Base = SlotAccumulators<IntegerSums<In, kResult>, IntegerSum>;

 public:
  static constexpr auto kFields = std::make_tuple(&IntegerSum::sum, &IntegerSum::count);
  explicit IntegerSums(const ResolvedAggregate& resolved)
      : Base(StateSchema({{"sum", BigIntType()}, {"count", BigIntType()}})), result_(resolved.result) {}
  static void Combine(IntegerSum& into, const IntegerSum& from) {
    into.sum = Wrapping(into.sum, from.sum);
    into.count += from.count;
  }
  bool retractable() const override { return true; }

  Status Update(std::span<const uint32_t> slots, std::span<const std::shared_ptr<arrow::Array>> args,
                const int8_t* kinds, const uint8_t* selected) override {
    const Reader<In> read(*args[0], false);
    const In* values = read.data();
    IntegerSum* states = this->states_.data();
    ForEachCounted(static_cast<int64_t>(slots.size()), args[0].get(), kinds, selected, [&](int64_t i, int sign) {
      IntegerSum& state = states[slots[i]];
      state.sum = Wrapping(state.sum, sign < 0 ? Wrapping(~int64_t{values[i]}, 1) : int64_t{values[i]});
      state.count += sign;
    });
    return Status::OK();
  }
  // Cut to the result's own width, as adding in that width would have.
  Result<std::shared_ptr<arrow::Array>> Finish(std::span<const uint32_t> slots) const override {
    switch (result_.kind()) {
      case TypeKind::kTinyInt:
        return FinishAs<int8_t>(slots);
      case TypeKind::kSmallInt:
        return FinishAs<int16_t>(slots);
      case TypeKind::kInt:
      case TypeKind::kIntervalMonth:
        return FinishAs<int32_t>(slots);
      default:
        return FinishAs<int64_t>(slots);
    }
  }

 private:
  template <typename Out>
  Result<std::shared_ptr<arrow::Array>> FinishAs(std::span<const uint32_t> slots) const {
    return BuildColumn<Out>(result_, static_cast<int64_t>(slots.size()), [&](int64_t i, Out& out) {
      const IntegerSum& state = this->states_[slots[i]];
      if (state.count <= 0) return false;
      out = static_cast<Out>(kResult == SumResult::kSum ? state.sum : state.sum / state.count);
      return true;
    });
  }
  DataType result_;
};

// The fields of the compensated sum are columns of their own in a snapshot, so this one is not told by member pointers.
template <SumResult kResult>
class FloatingSums final : public Accumulators {
 public:
  explicit FloatingSums(const ResolvedAggregate& resolved)
      : schema_(StateSchema({{"sum", DoubleType()},
                             {"lost", DoubleType()},
                             {"nans", IntType()},
                             {"plus_infinities", IntType()},
                             {"minus_infinities", IntType()},
                             {"count", BigIntType()}})),
        result_(resolved.result) {}
  void Resize(int64_t slots) override { states_.resize(static_cast<size_t>(slots)); }
  void Clear(std::span<const uint32_t> slots) override {
    for (uint32_t slot : slots) states_[slot] = FloatingSum{};
  }
  bool retractable() const override { return true; }
  const Schema& state_schema() const override { return schema_; }
  int64_t MemoryBytes() const override { return static_cast<int64_t>(states_.capacity() * sizeof(FloatingSum)); }

  Status Update(std::span<const uint32_t> slots, std::span<const std::shared_ptr<arrow::Array>> args,
                const int8_t* kinds, const uint8_t* selected) override {
    const Reader<double> read(*args[0], false);
    const double* values = read.data();
    FloatingSum* states = states_.data();
    ForEachCounted(static_cast<int64_t>(slots.size()), args[0].get(), kinds, selected, [&](int64_t i, int sign) {
      FloatingSum& state = states[slots[i]];
      state.sum.Add(values[i], sign);
      state.count += sign;
      // An empty group starts from nothing again.
      if (sign < 0 && state.count == 0) state = FloatingSum{};
    });
    return Status::OK();
  }
  Status Merge(std::span<const uint32_t> target, const Accumulators& other, std::span<const uint32_t> source) override {
    const auto& from = static_cast<const FloatingSums&>(other).states_;
    for (size_t i = 0; i < target.size(); ++i) {
      const FloatingSum added = from[source[i]];
      states_[target[i]].sum.Merge(added.sum);
      states_[target[i]].count += added.count;
    }
    return Status::OK();
  }
  Result<std::shared_ptr<arrow::Array>> Finish(std::span<const uint32_t> slots) const override {
    return result_.kind() == TypeKind::kFloat ? FinishAs<float>(slots) : FinishAs<double>(slots);
  }
  Result<std::vector<std::shared_ptr<arrow::Array>>> Export(std::span<const uint32_t> slots) const override {
    std::vector<std::shared_ptr<arrow::Array>> columns(6);
    const auto column = [&]<typename T>(size_t at, T (*get)(const FloatingSum&)) -> Status {
      TM_ASSIGN_OR_RETURN(columns[at], BuildColumn<T>(schema_.field(static_cast<int>(at)).type,
                                                      static_cast<int64_t>(slots.size()), [&](int64_t i, T& out) {
                                                        out = get(states_[slots[i]]);
                                                        return true;
                                                      }));
      return Status::OK();
    };
    TM_RETURN_IF_ERROR(column.template operator()<double>(0, [](const FloatingSum& s) { return s.sum.sum; }));
    TM_RETURN_IF_ERROR(column.template operator()<double>(1, [](const FloatingSum& s) { return s.sum.lost; }));
    TM_RETURN_IF_ERROR(column.template operator()<int32_t>(2, [](const FloatingSum& s) { return s.sum.nans; }));
    TM_RETURN_IF_ERROR(
        column.template operator()<int32_t>(3, [](const FloatingSum& s) { return s.sum.plus_infinities; }));
    TM_RETURN_IF_ERROR(
        column.template operator()<int32_t>(4, [](const FloatingSum& s) { return s.sum.minus_infinities; }));
    TM_RETURN_IF_ERROR(column.template operator()<int64_t>(5, [](const FloatingSum& s) { return s.count; }));
    return columns;
  }
  Status Import(std::span<const uint32_t> slots, std::span<const std::shared_ptr<arrow::Array>> columns) override {
    if (columns.size() != 6) return Status(kInternalError, "accumulator columns do not match");
    const Reader<double> sum(*columns[0], false), lost(*columns[1], false);
    const Reader<int32_t> nans(*columns[2], false), plus(*columns[3], false), minus(*columns[4], false);
    const Reader<int64_t> count(*columns[5], false);
    for (size_t i = 0; i < slots.size(); ++i) {
      const auto at = static_cast<int64_t>(i);
      states_[slots[i]] = FloatingSum{{sum(at), lost(at), nans(at), plus(at), minus(at)}, count(at)};
    }
    return Status::OK();
  }

 private:
  template <typename Out>
  Result<std::shared_ptr<arrow::Array>> FinishAs(std::span<const uint32_t> slots) const {
    return BuildColumn<Out>(result_, static_cast<int64_t>(slots.size()), [&](int64_t i, Out& out) {
      const FloatingSum& state = states_[slots[i]];
      if (state.count <= 0) return false;
      const double sum = state.sum.Value();
      out = static_cast<Out>(kResult == SumResult::kSum ? sum : sum / static_cast<double>(state.count));
      return true;
    });
  }

  Schema schema_;
  DataType result_;
  std::vector<FloatingSum> states_;
};

template <SumResult kResult>
class DecimalSums final : public SlotAccumulators<DecimalSums<kResult>, DecimalSum> {
  using Base = SlotAccumulators<DecimalSums<kResult>, DecimalSum>;

 public:
  static constexpr auto kFields = std::make_tuple(&DecimalSum::sum, &DecimalSum::carry, &DecimalSum::count);
  explicit DecimalSums(const ResolvedAggregate& resolved)
      : Base(StateSchema({{"sum", DataType::Decimal(38, resolved.arguments[0].scale())},
                          {"carry", BigIntType()},
                          {"count", BigIntType()}})),
        result_(resolved.result),
        scale_(resolved.arguments[0].scale()) {}
  static void Combine(DecimalSum& into, const DecimalSum& from) {
    into.carry += from.carry;
    into.count += from.count;
    into.Add(from.sum);
  }
  bool retractable() const override { return true; }

  Status Update(std::span<const uint32_t> slots, std::span<const std::shared_ptr<arrow::Array>> args,
                const int8_t* kinds, const uint8_t* selected) override {
    const Reader<Int128> value(*args[0], false);
    ForEachCounted(static_cast<int64_t>(slots.size()), args[0].get(), kinds, selected, [&](int64_t i, int sign) {
      DecimalSum& state = this->states_[slots[i]];
      state.Add(sign < 0 ? -value(i) : value(i));
      state.count += sign;
    });
    return Status::OK();
  }
  Result<std::shared_ptr<arrow::Array>> Finish(std::span<const uint32_t> slots) const override {
    return BuildColumn<Int128>(result_, static_cast<int64_t>(slots.size()), [&](int64_t i, Int128& out) {
      const DecimalSum& state = this->states_[slots[i]];
      if (state.count <= 0 || state.carry != 0 || !FitsPrecision(state.sum, kDecimalDigitsMax)) return false;
      if (kResult == SumResult::kSum) {
        out = state.sum;
        return true;
      }
      return Average(state, out);
    });
  }

 private:
  // The whole part first: scaled up as a whole the sum might not fit.
  bool Average(const DecimalSum& state, Int128& out) const {
    const Int128 up = PowerOfTen(result_.scale() - scale_);
    const Int128 whole = state.sum / state.count;
    const Int128 rest = state.sum % state.count;
    if (!Rescale(whole, scale_, kDecimalDigitsMax, result_.scale(), out)) return false;
    out += DivideHalfUp(rest * up, state.count);  // |rest| < 2^63 and up <= 10^6
    return FitsPrecision(out, result_.precision());
  }
  DataType result_;
  int scale_;
};

template <typename T>
std::unique_ptr<Accumulators> Make(const ResolvedAggregate& resolved) {
  return std::make_unique<T>(resolved);
}

template <SumResult kResult>
MakeAccumulators SumMakerOf(TypeKind argument) {
  switch (argument) {
    case TypeKind::kInt:
    case TypeKind::kIntervalMonth:
      return MakeMaybeDistinct<Make<IntegerSums<int32_t, kResult>>>;
    case TypeKind::kBigInt:
    case TypeKind::kIntervalDay:
      return MakeMaybeDistinct<Make<IntegerSums<int64_t, kResult>>>;
    case TypeKind::kDecimal:
      return MakeMaybeDistinct<Make<DecimalSums<kResult>>>;
    default:
      return MakeMaybeDistinct<Make<FloatingSums<kResult>>>;
  }
}

template <SumResult kResult>
Result<ResolvedAggregate> ResolveSum(Args args, bool distinct) {
  const char* name = kResult == SumResult::kSum ? "SUM" : "AVG";
  if (args.size() != 1) return WrongArguments(name, args, "one number");
  const DataType type = args[0].type.kind() == TypeKind::kNull ? IntType() : args[0].type;
  if (!type.IsNumeric() && !type.IsInterval()) return WrongArguments(name, args, "one number");
  ResolvedAggregate resolved;
  resolved.distinct = distinct;
  resolved.result = type.WithNullable(true);
  DataType argument = type;
  if (type.kind() == TypeKind::kTinyInt || type.kind() == TypeKind::kSmallInt) argument = IntType();
  if (type.kind() == TypeKind::kFloat) argument = DoubleType();
  if (type.kind() == TypeKind::kDecimal) {
    resolved.result = DataType::Decimal(38, kResult == SumResult::kSum ? type.scale() : std::max(6, type.scale()));
  }
  resolved.arguments = {argument.WithNullable(args[0].type.nullable())};
  resolved.make = SumMakerOf<kResult>(argument.kind());
  return resolved;
}

Result<ResolvedAggregate> ResolveCount(Args args, bool distinct) {
  if (args.size() > 1 || (distinct && args.empty())) return WrongArguments("COUNT", args, "* or one value");
  if (distinct && !TakesDistinct(args[0].type))
    return WrongArguments("COUNT(DISTINCT)", args, "a number, text, BOOLEAN or time");
  ResolvedAggregate resolved;
  resolved.result = BigIntType().WithNullable(false);
  resolved.distinct = distinct;
  for (const ArgumentInfo& arg : args) resolved.arguments.push_back(arg.type);
  resolved.make = MakeMaybeDistinct<Make<CountAccumulators>>;
  return resolved;
}

}  // namespace

std::vector<AggregateFunction> BasicAggregates() {
  return {
      {"COUNT", "COUNT(*), COUNT([DISTINCT] value) -> BIGINT",
       "How many rows there are, or how many where the value is not NULL.", "COUNT(x) FROM (VALUES 1, NULL, 1)", "2",
       ResolveCount},
      {"SUM", "SUM([DISTINCT] number) -> the number's type; DECIMAL(p, s) -> DECIMAL(38, s)",
       "The sum of what is not NULL; NULL when there is nothing. Integers wrap around, a DECIMAL that does not fit is "
       "NULL.",
       "SUM(x) FROM (VALUES 1, NULL, 4)", "5", ResolveSum<SumResult::kSum>},
      {"AVG", "AVG([DISTINCT] number) -> the number's type; DECIMAL(p, s) -> DECIMAL(38, max(6, s))",
       "The mean of what is not NULL; of integers it is cut toward zero.", "AVG(x) FROM (VALUES 1, NULL, 4)", "2",
       ResolveSum<SumResult::kAverage>},
  };
}

}  // namespace tidemill
