#include <cmath>
#include <map>

#include "function/function_groups.h"
#include "function/internal/aggregate_bind.h"
#include "function/internal/decimal.h"
#include "function/internal/slot_accumulators.h"

namespace tidemill {
namespace {

// Whether a replaces b as the largest (kMax) or smallest; NaN is larger than every number, as in Java's and Postgres' order.
template <typename T, bool kMax>
bool Beats(const T& a, const T& b) {
  if constexpr (std::is_floating_point_v<T>) {
    if (std::isnan(a) || std::isnan(b)) return kMax ? std::isnan(a) && !std::isnan(b) : std::isnan(b) && !std::isnan(a);
  }
  return kMax ? a > b : a < b;
}

template <typename K>
struct ExtremeState {
  K value{};
  bool present = false;
};

template <typename T, bool kMax>
class Extremes final : public SlotAccumulators<Extremes<T, kMax>, ExtremeState<Kept<T>>> {
  using State = ExtremeState<Kept<T>>;
  using Base = SlotAccumulators<Extremes<T, kMax>, State>;

 public:
  static constexpr auto kFields = std::make_tuple(&State::value, &State::present);
  explicit Extremes(const ResolvedAggregate& resolved)
      : Base(StateSchema({{"value", resolved.result}, {"present", BooleanType()}})), result_(resolved.result) {}
  static void Combine(State& into, const State& from) {
    if (from.present && (!into.present || Beats<Kept<T>, kMax>(from.value, into.value))) into = from;
  }
  bool retractable() const override { return false; }

  Status Update(std::span<const uint32_t> slots, std::span<const std::shared_ptr<arrow::Array>> args, const int8_t* kinds,
                const uint8_t* selected) override {
    const Reader<T> read(*args[0], false);
    State* states = this->states_.data();
    ForEachCounted(static_cast<int64_t>(slots.size()), args[0].get(), kinds, selected, [&](int64_t i, int) {
      State& state = states[slots[i]];
      const T value = read(i);
      if (!state.present || Beats<T, kMax>(value, T(state.value))) {
        state.value = Kept<T>(value);
        state.present = true;
      }
    });
    return Status::OK();
  }
  Result<std::shared_ptr<arrow::Array>> Finish(std::span<const uint32_t> slots) const override {
    return BuildColumn<Kept<T>>(result_, static_cast<int64_t>(slots.size()), [&](int64_t i, Kept<T>& out) {
      const State& state = this->states_[slots[i]];
      if (state.present) out = state.value;
      return state.present;
    });
  }
  int64_t MemoryBytes() const override {
    int64_t bytes = Base::MemoryBytes();
    if constexpr (std::is_same_v<Kept<T>, std::string>) {
      for (const State& state : this->states_) bytes += state.value.capacity() > 15 ? static_cast<int64_t>(state.value.capacity()) : 0;
    }
    return bytes;
  }

 private:
  DataType result_;
};

template <bool kMax>
Result<ResolvedAggregate> ResolveExtreme(Args args, bool) {
  const char* name = kMax ? "MAX" : "MIN";
  if (args.size() != 1) return WrongArguments(name, args, "one value");
  const DataType type = args[0].type.kind() == TypeKind::kNull ? IntType() : args[0].type;
  ResolvedAggregate resolved;  // DISTINCT changes nothing
  DispatchPhysical(type.kind(), [&](auto tag) {
    resolved.make = [](const ResolvedAggregate& r) -> std::unique_ptr<Accumulators> {
      return std::make_unique<Extremes<typename decltype(tag)::Type, kMax>>(r);
    };
  });
  if (resolved.make == nullptr) return WrongArguments(name, args, "one number, text, BOOLEAN or time");
  resolved.result = type.WithNullable(true);
  resolved.arguments = {type.WithNullable(args[0].type.nullable())};
  return resolved;
}

}  // namespace

std::vector<AggregateFunction> ExtremeAggregates() {
  return {
      {"MIN", "MIN(value) -> its type", "The smallest value that is not NULL; texts by their bytes, NaN after all numbers.",
       "MIN(x) FROM (VALUES 3, NULL, 2)", "2", ResolveExtreme<false>},
      {"MAX", "MAX(value) -> its type", "The largest value that is not NULL.", "MAX(x) FROM (VALUES 'a', NULL, 'b')", "b",
       ResolveExtreme<true>},
  };
}

}  // namespace tidemill
