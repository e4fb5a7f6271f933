#include <cmath>
#include <map>

#include "function/function_groups.h"
#include "function/internal/aggregate_bind.h"
#include "function/internal/list_column.h"
#include "function/internal/slot_accumulators.h"

namespace tidemill {
namespace {

// Whether a replaces b as the largest (kMax) or smallest; NaN is larger than every number, as in Java's and Postgres'
// order.
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

  Status Update(std::span<const uint32_t> slots, std::span<const std::shared_ptr<arrow::Array>> args,
                const int8_t* kinds, const uint8_t* selected) override {
    TM_RETURN_IF_ERROR(RefuseRetractions(static_cast<int64_t>(slots.size()), kinds));
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
      for (const State& state : this->states_)
        bytes += state.value.capacity() > 15 ? static_cast<int64_t>(state.value.capacity()) : 0;
    }
    return bytes;
  }

 private:
  DataType result_;
};

// MIN and MAX over input that takes rows back: every value with its count, in order.
template <typename T, bool kMax>
class RetractableExtremes final : public Accumulators {
  using K = Kept<T>;
  struct Before {
    bool operator()(const K& a, const K& b) const { return Beats<K, kMax>(a, b); }
  };
  using Counts = std::map<K, int64_t, Before>;

 public:
  explicit RetractableExtremes(const ResolvedAggregate& resolved)
      : result_(resolved.result),
        element_(resolved.result.WithNullable(false)),
        schema_(StateSchema(
            {{"values", DataType::Array(element_)}, {"counts", DataType::Array(BigIntType().WithNullable(false))}})) {}
  void Resize(int64_t slots) override { groups_.resize(static_cast<size_t>(slots)); }
  void Clear(std::span<const uint32_t> slots) override {
    for (uint32_t slot : slots) groups_[slot].clear();
  }
  bool retractable() const override { return true; }
  const Schema& state_schema() const override { return schema_; }
  Status Update(std::span<const uint32_t> slots, std::span<const std::shared_ptr<arrow::Array>> args,
                const int8_t* kinds, const uint8_t* selected) override {
    const Reader<T> read(*args[0], false);
    ForEachCounted(static_cast<int64_t>(slots.size()), args[0].get(), kinds, selected,
                   [&](int64_t i, int sign) { Add(groups_[slots[static_cast<size_t>(i)]], K(read(i)), sign); });
    return Status::OK();
  }
  Status Merge(std::span<const uint32_t> target, const Accumulators& other, std::span<const uint32_t> source) override {
    const auto& from = static_cast<const RetractableExtremes&>(other).groups_;
    for (size_t i = 0; i < target.size(); ++i) {
      const Counts added = from[source[i]];
      for (const auto& [value, count] : added) Add(groups_[target[i]], value, count);
    }
    return Status::OK();
  }
  Result<std::shared_ptr<arrow::Array>> Finish(std::span<const uint32_t> slots) const override {
    return BuildColumn<K>(result_, static_cast<int64_t>(slots.size()), [&](int64_t i, K& out) {
      for (const auto& [value, count] : groups_[slots[static_cast<size_t>(i)]]) {
        if (count <= 0) continue;  // taken back before it came
        out = value;
        return true;
      }
      return false;
    });
  }
  Result<std::vector<std::shared_ptr<arrow::Array>>> Export(std::span<const uint32_t> slots) const override {
    TM_ASSIGN_OR_RETURN(auto values, BuildLists<K>(element_, slots.size(), [&](size_t i, auto&& add) {
                          for (const auto& [value, count] : groups_[slots[i]]) add(value);
                        }));
    TM_ASSIGN_OR_RETURN(auto counts,
                        BuildLists<int64_t>(BigIntType().WithNullable(false), slots.size(), [&](size_t i, auto&& add) {
                          for (const auto& [value, count] : groups_[slots[i]]) add(count);
                        }));
    return std::vector<std::shared_ptr<arrow::Array>>{std::move(values), std::move(counts)};
  }
  Status Import(std::span<const uint32_t> slots, std::span<const std::shared_ptr<arrow::Array>> columns) override {
    const auto& values = static_cast<const arrow::ListArray&>(*columns[0]);
    const auto& counts = static_cast<const arrow::ListArray&>(*columns[1]);
    const Reader<T> value(*values.values(), false);
    const Reader<int64_t> count(*counts.values(), false);
    for (size_t i = 0; i < slots.size(); ++i) {
      groups_[slots[i]].clear();
      const auto row = static_cast<int64_t>(i);
      for (int64_t k = 0; k < values.value_length(row); ++k) {
        Add(groups_[slots[i]], K(value(values.value_offset(row) + k)), count(counts.value_offset(row) + k));
      }
    }
    return Status::OK();
  }
  int64_t MemoryBytes() const override {
    auto bytes = static_cast<int64_t>(groups_.capacity() * sizeof(Counts));
    for (const Counts& counts : groups_)
      bytes += static_cast<int64_t>(counts.size() * (sizeof(typename Counts::value_type) + 32));
    return bytes;
  }

 private:
  static void Add(Counts& counts, K value, int64_t by) {
    const auto [at, is_new] = counts.try_emplace(std::move(value), 0);
    if ((at->second += by) == 0) counts.erase(at);
  }
  DataType result_;
  DataType element_;
  Schema schema_;
  std::vector<Counts> groups_;
};

template <bool kMax>
Result<ResolvedAggregate> ResolveExtreme(Args args, bool) {
  const char* name = kMax ? "MAX" : "MIN";
  if (args.size() != 1) return WrongArguments(name, args, "one value");
  const DataType type = args[0].type.kind() == TypeKind::kNull ? IntType() : args[0].type;
  ResolvedAggregate resolved;  // DISTINCT changes nothing
  DispatchPhysical(type.kind(), [&](auto tag) {
    resolved.make = [](const ResolvedAggregate& r) -> std::unique_ptr<Accumulators> {
      using T = typename decltype(tag)::Type;
      if (r.retracting) return std::make_unique<RetractableExtremes<T, kMax>>(r);
      return std::make_unique<Extremes<T, kMax>>(r);
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
      {"MIN", "MIN(value) -> its type",
       "The smallest value that is not NULL; texts by their bytes, NaN after all numbers.",
       "MIN(x) FROM (VALUES 3, NULL, 2)", "2", ResolveExtreme<false>},
      {"MAX", "MAX(value) -> its type", "The largest value that is not NULL.", "MAX(x) FROM (VALUES 'a', NULL, 'b')",
       "b", ResolveExtreme<true>},
  };
}

}  // namespace tidemill
