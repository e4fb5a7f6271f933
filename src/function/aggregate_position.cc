#include "function/function_groups.h"
#include "function/internal/aggregate_bind.h"
#include "function/internal/list_accumulators.h"
#include "function/internal/slot_accumulators.h"

namespace tidemill {
namespace {

template <typename K>
struct PositionState {
  K value{};
  bool present = false;
};

// The first or last value in the order of arrival, NULL left out. Merging takes the target as the earlier one.
template <typename T, bool kLast>
class Positions final : public SlotAccumulators<Positions<T, kLast>, PositionState<Kept<T>>> {
  using State = PositionState<Kept<T>>;
  using Base = SlotAccumulators<Positions<T, kLast>, State>;

 public:
  static constexpr auto kFields = std::make_tuple(&State::value, &State::present);
  explicit Positions(const ResolvedAggregate& resolved)
      : Base(StateSchema({{"value", resolved.result}, {"present", BooleanType()}})), result_(resolved.result) {}
  static void Combine(State& into, const State& from) {
    if (from.present && (kLast || !into.present)) into = from;
  }
  bool retractable() const override { return false; }

  Status Update(std::span<const uint32_t> slots, std::span<const std::shared_ptr<arrow::Array>> args,
                const int8_t* kinds, const uint8_t* selected) override {
    TM_RETURN_IF_ERROR(RefuseRetractions(static_cast<int64_t>(slots.size()), kinds));
    const Reader<T> read(*args[0], false);
    State* states = this->states_.data();
    ForEachCounted(static_cast<int64_t>(slots.size()), args[0].get(), kinds, selected, [&](int64_t i, int) {
      State& state = states[slots[static_cast<size_t>(i)]];
      if (!kLast && state.present) return;
      state.value = Kept<T>(read(i));
      state.present = true;
    });
    return Status::OK();
  }
  Result<std::shared_ptr<arrow::Array>> Finish(std::span<const uint32_t> slots) const override {
    return BuildColumn<Kept<T>>(result_, static_cast<int64_t>(slots.size()), [&](int64_t i, Kept<T>& out) {
      const State& state = this->states_[slots[static_cast<size_t>(i)]];
      if (state.present) out = state.value;
      return state.present;
    });
  }

 private:
  DataType result_;
};

template <bool kLast>
Result<ResolvedAggregate> ResolvePosition(Args args, bool) {
  const char* name = kLast ? "LAST_VALUE" : "FIRST_VALUE";
  if (args.size() != 1) return WrongArguments(name, args, "one value");
  const DataType type = args[0].type.kind() == TypeKind::kNull ? IntType() : args[0].type;
  ResolvedAggregate resolved;
  DispatchPhysical(type.kind(), [&](auto tag) {
    resolved.make = [](const ResolvedAggregate& r) -> std::unique_ptr<Accumulators> {
      using T = typename decltype(tag)::Type;
      if (r.retracting) return MakeListAccumulators<T>(r, kLast ? ListResult::kLast : ListResult::kFirst);
      return std::make_unique<Positions<T, kLast>>(r);
    };
  });
  if (resolved.make == nullptr) return WrongArguments(name, args, "one number, text, BOOLEAN or time");
  resolved.result = type.WithNullable(true);
  resolved.arguments = {type.WithNullable(args[0].type.nullable())};
  return resolved;
}

Result<ResolvedAggregate> ResolveLag(Args args, bool) {
  if (args.empty() || args.size() > 3) return WrongArguments("LAG", args, "(value [, offset INT [, default]])");
  ResolvedAggregate resolved;
  DataType type = args[0].type;
  if (args.size() > 1) {
    TM_ASSIGN_OR_RETURN(const int64_t offset, LiteralInteger("LAG", args, 1, "the offset"));
    if (offset < 0) return Status(kWrongArguments, "LAG: the offset must not be negative");
  }
  if (args.size() > 2) {
    TM_ASSIGN_OR_RETURN(type, CommonType(args[0].type, args[2].type));
  }
  resolved.arguments = {type};
  if (args.size() > 1) resolved.arguments.push_back(IntType().WithNullable(false));
  if (args.size() > 2) resolved.arguments.push_back(type);
  resolved.result = type.WithNullable(true);
  return resolved;
}

Result<ResolvedAggregate> ResolveRowNumber(Args args, bool) {
  if (!args.empty()) return WrongArguments("ROW_NUMBER", args, "nothing");
  ResolvedAggregate resolved;
  resolved.result = BigIntType().WithNullable(false);
  return resolved;
}

}  // namespace

std::vector<AggregateFunction> PositionAggregates() {
  return {
      {"FIRST_VALUE", "FIRST_VALUE(value) -> its type", "The first value that is not NULL, in the order of the rows.",
       "FIRST_VALUE(x) FROM (VALUES NULL, 3, 1)", "3", ResolvePosition<false>},
      {"LAST_VALUE", "LAST_VALUE(value) -> its type", "The last value that is not NULL, in the order of the rows.",
       "LAST_VALUE(x) FROM (VALUES 3, 1, NULL)", "1", ResolvePosition<true>},
  };
}

std::vector<AggregateFunction> OverOnlyAggregates() {
  return {
      {"LAG", "LAG(value [, offset INT [, default]]) OVER (...) -> the value's type",
       "The value that many rows before (1 if not given), or the default where there is none.", "", "", ResolveLag,
       true},
      {"ROW_NUMBER", "ROW_NUMBER() OVER (...) -> BIGINT", "The number of the row in its partition, from 1.", "", "",
       ResolveRowNumber, true},
  };
}

}  // namespace tidemill
