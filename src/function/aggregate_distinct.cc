#include <cmath>

#include <absl/container/flat_hash_map.h>

#include "data/schema.h"
#include "function/internal/aggregate_bind.h"
#include "function/internal/list_column.h"
#include "function/internal/slot_accumulators.h"
#include "function/internal/value_key.h"

namespace tidemill {
namespace {

// Per group every value with how often it is there; the aggregate proper sees a value when its count leaves zero, and
// takes it back when the count returns to it.
template <typename T>
class DistinctAccumulators final : public Accumulators {
  using Counts = absl::flat_hash_map<ValueKey<T>, int64_t>;

 public:
  DistinctAccumulators(const ResolvedAggregate& resolved, std::unique_ptr<Accumulators> inner)
      : inner_(std::move(inner)),
        argument_(resolved.arguments[0].WithNullable(false)),
        elements_max_(resolved.elements_max),
        schema_(StateSchema(
            {{"values", DataType::Array(argument_)}, {"counts", DataType::Array(BigIntType().WithNullable(false))}})) {}

  void Resize(int64_t slots) override {
    seen_.resize(static_cast<size_t>(slots));
    inner_->Resize(slots);
  }
  void Clear(std::span<const uint32_t> slots) override {
    for (uint32_t slot : slots) seen_[slot] = Counts();
    inner_->Clear(slots);
  }
  bool retractable() const override { return inner_->retractable(); }
  int64_t rows_over_bound() const override { return over_bound_; }
  const Schema& state_schema() const override { return schema_; }

  Status Update(std::span<const uint32_t> slots, std::span<const std::shared_ptr<arrow::Array>> args,
                const int8_t* kinds, const uint8_t* selected) override {
    const auto rows = static_cast<int64_t>(slots.size());
    first_.assign(slots.size(), 0);
    kinds_.assign(slots.size(), static_cast<int8_t>(RowKind::kInsert));
    const Reader<T> read(*args[0], false);
    ForEachCounted(rows, args[0].get(), kinds, selected, [&](int64_t i, int sign) {
      Counts& counts = seen_[slots[static_cast<size_t>(i)]];
      if (sign < 0) {
        const auto at = counts.find(KeyOf(read(i)));
        if (at == counts.end() || --at->second > 0) return;
        counts.erase(at);
        kinds_[static_cast<size_t>(i)] = static_cast<int8_t>(RowKind::kDelete);
        first_[static_cast<size_t>(i)] = 1;
        return;
      }
      if (static_cast<int64_t>(counts.size()) >= elements_max_ && !counts.contains(KeyOf(read(i)))) {
        ++over_bound_;
        return;
      }
      if (++counts[KeyOf(read(i))] == 1) first_[static_cast<size_t>(i)] = 1;
    });
    return inner_->Update(slots, args, kinds != nullptr ? kinds_.data() : nullptr, first_.data());
  }
  Status Merge(std::span<const uint32_t> target, const Accumulators& other, std::span<const uint32_t> source) override {
    const auto& from = static_cast<const DistinctAccumulators&>(other);
    for (size_t i = 0; i < target.size(); ++i) {
      const Counts counts = from.seen_[source[i]];  // a copy: it may be this very table
      TM_RETURN_IF_ERROR(AddCounts(target[i], counts));
    }
    return Status::OK();
  }
  Result<std::shared_ptr<arrow::Array>> Finish(std::span<const uint32_t> slots) const override {
    return inner_->Finish(slots);
  }

  Result<std::vector<std::shared_ptr<arrow::Array>>> Export(std::span<const uint32_t> slots) const override {
    TM_ASSIGN_OR_RETURN(auto values, BuildLists<Kept<T>>(argument_, slots.size(), [&](size_t i, auto&& add) {
                          for (const auto& [key, count] : seen_[slots[i]]) add(ValueOf<T>(key));
                        }));
    TM_ASSIGN_OR_RETURN(auto counts,
                        BuildLists<int64_t>(BigIntType().WithNullable(false), slots.size(), [&](size_t i, auto&& add) {
                          for (const auto& [key, count] : seen_[slots[i]]) add(count);
                        }));
    return std::vector<std::shared_ptr<arrow::Array>>{std::move(values), std::move(counts)};
  }
  Status Import(std::span<const uint32_t> slots, std::span<const std::shared_ptr<arrow::Array>> columns) override {
    const auto& values = static_cast<const arrow::ListArray&>(*columns[0]);
    const auto& numbers = static_cast<const arrow::ListArray&>(*columns[1]);
    const Reader<T> value(*values.values(), false);
    const Reader<int64_t> number(*numbers.values(), false);
    Clear(slots);
    for (size_t i = 0; i < slots.size(); ++i) {
      Counts counts;
      const auto row = static_cast<int64_t>(i);
      for (int64_t k = 0; k < values.value_length(row); ++k) {
        counts[ValueKey<T>(KeyOf(value(values.value_offset(row) + k)))] = number(numbers.value_offset(row) + k);
      }
      TM_RETURN_IF_ERROR(AddCounts(slots[i], counts));
    }
    return Status::OK();
  }
  int64_t MemoryBytes() const override {
    int64_t bytes = inner_->MemoryBytes() + static_cast<int64_t>(seen_.capacity() * sizeof(Counts));
    for (const Counts& counts : seen_)
      bytes += static_cast<int64_t>(counts.capacity() * (sizeof(typename Counts::value_type) + 1));
    return bytes;
  }

 private:
  Status AddCounts(uint32_t slot, const Counts& counts) {
    Counts& mine = seen_[slot];
    std::vector<const ValueKey<T>*> added;
    for (const auto& [key, count] : counts) {
      if (static_cast<int64_t>(mine.size()) >= elements_max_ && !mine.contains(key)) {
        ++over_bound_;
        continue;
      }
      const auto [at, is_new] = mine.try_emplace(key, 0);
      at->second += count;
      if (is_new) added.push_back(&key);
    }
    if (added.empty()) return Status::OK();
    // The order in a hash table differs from run to run, and ARRAY_AGG would show it.
    std::sort(added.begin(), added.end(), [](const ValueKey<T>* a, const ValueKey<T>* b) { return *a < *b; });
    TM_ASSIGN_OR_RETURN(
        std::shared_ptr<arrow::Array> values,
        BuildColumn<Kept<T>>(argument_, static_cast<int64_t>(added.size()), [&](int64_t i, Kept<T>& out) {
          out = ValueOf<T>(*added[static_cast<size_t>(i)]);
          return true;
        }));
    const std::vector<uint32_t> slots(added.size(), slot);
    return inner_->Update(slots, {&values, 1}, nullptr, nullptr);
  }

  std::unique_ptr<Accumulators> inner_;
  DataType argument_;
  int64_t elements_max_;
  Schema schema_;
  std::vector<Counts> seen_;
  int64_t over_bound_ = 0;
  std::vector<uint8_t> first_;  // reused by Update
  std::vector<int8_t> kinds_;
};

}  // namespace

std::unique_ptr<Accumulators> MakeDistinct(const ResolvedAggregate& resolved, MakeAccumulators make) {
  ResolvedAggregate plain = resolved;
  plain.distinct = false;
  std::unique_ptr<Accumulators> made;
  DispatchPhysical(resolved.arguments[0].kind(), [&](auto tag) {
    made = std::make_unique<DistinctAccumulators<typename decltype(tag)::Type>>(resolved, make(plain));
  });
  return made;
}

bool TakesDistinct(const DataType& type) {
  return DispatchPhysical(type.kind(), [](auto) {});
}

}  // namespace tidemill
