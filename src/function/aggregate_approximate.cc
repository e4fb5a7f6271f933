#include <xxhash.h>

#include "function/function_groups.h"
#include "function/internal/aggregate_bind.h"
#include "function/internal/hyper_log_log.h"
#include "function/internal/slot_accumulators.h"
#include "function/internal/value_key.h"

namespace tidemill {
namespace {

// The hash is kept in snapshots by way of the registers, so it must never change.
template <typename T>
uint64_t StableHash(T value) {
  if constexpr (std::is_same_v<T, std::string_view>) {
    return XXH3_64bits(value.data(), value.size());
  } else {
    const auto key = KeyOf(value);
    if constexpr (std::is_same_v<T, __int128>) {
      const uint64_t halves[2] = {static_cast<uint64_t>(key.first), key.second};
      return XXH3_64bits(halves, sizeof(halves));
    } else {
      const auto wide = static_cast<uint64_t>(key);
      return XXH3_64bits(&wide, sizeof(wide));
    }
  }
}

template <typename T>
class SketchAccumulators final : public Accumulators {
 public:
  explicit SketchAccumulators(const ResolvedAggregate&) : schema_(StateSchema({{"registers", BytesType()}})) {}
  void Resize(int64_t slots) override { sketches_.resize(static_cast<size_t>(slots)); }
  void Clear(std::span<const uint32_t> slots) override {
    for (uint32_t slot : slots) sketches_[slot] = HyperLogLog();
  }
  bool retractable() const override { return false; }
  const Schema& state_schema() const override { return schema_; }
  Status Update(std::span<const uint32_t> slots, std::span<const std::shared_ptr<arrow::Array>> args,
                const int8_t* kinds, const uint8_t* selected) override {
    TM_RETURN_IF_ERROR(RefuseRetractions(static_cast<int64_t>(slots.size()), kinds));
    const Reader<T> read(*args[0], false);
    ForEachCounted(static_cast<int64_t>(slots.size()), args[0].get(), kinds, selected,
                   [&](int64_t i, int) { sketches_[slots[static_cast<size_t>(i)]].Add(StableHash<T>(read(i))); });
    return Status::OK();
  }
  Status Merge(std::span<const uint32_t> target, const Accumulators& other, std::span<const uint32_t> source) override {
    const auto& from = static_cast<const SketchAccumulators&>(other).sketches_;
    for (size_t i = 0; i < target.size(); ++i) sketches_[target[i]].Merge(from[source[i]]);
    return Status::OK();
  }
  Result<std::shared_ptr<arrow::Array>> Finish(std::span<const uint32_t> slots) const override {
    return BuildColumn<int64_t>(BigIntType(), static_cast<int64_t>(slots.size()), [&](int64_t i, int64_t& out) {
      out = sketches_[slots[static_cast<size_t>(i)]].Estimate();
      return true;
    });
  }
  Result<std::vector<std::shared_ptr<arrow::Array>>> Export(std::span<const uint32_t> slots) const override {
    TM_ASSIGN_OR_RETURN(auto column, BuildColumn<std::string>(BytesType(), static_cast<int64_t>(slots.size()),
                                                              [&](int64_t i, std::string& out) {
                                                                out = sketches_[slots[static_cast<size_t>(i)]].Save();
                                                                return true;
                                                              }));
    return std::vector<std::shared_ptr<arrow::Array>>{std::move(column)};
  }
  Status Import(std::span<const uint32_t> slots, std::span<const std::shared_ptr<arrow::Array>> columns) override {
    const Reader<std::string_view> read(*columns[0], false);
    for (size_t i = 0; i < slots.size(); ++i) {
      if (!sketches_[slots[i]].Load(read(static_cast<int64_t>(i))))
        return Status(kCorruption, "APPROX_COUNT_DISTINCT registers are malformed");
    }
    return Status::OK();
  }
  int64_t MemoryBytes() const override {
    auto bytes = static_cast<int64_t>(sketches_.capacity() * sizeof(HyperLogLog));
    for (const HyperLogLog& sketch : sketches_) bytes += sketch.MemoryBytes();
    return bytes;
  }

 private:
  Schema schema_;
  std::vector<HyperLogLog> sketches_;
};

Result<ResolvedAggregate> ResolveApprox(Args args, bool) {
  if (args.size() != 1 || !TakesDistinct(args[0].type)) {
    return WrongArguments("APPROX_COUNT_DISTINCT", args, "one number, text, BOOLEAN or time");
  }
  ResolvedAggregate resolved;
  resolved.result = BigIntType().WithNullable(false);
  resolved.arguments = {args[0].type};
  resolved.make = [](const ResolvedAggregate& r) {
    std::unique_ptr<Accumulators> made;
    DispatchPhysical(r.arguments[0].kind(),
                     [&](auto tag) { made = std::make_unique<SketchAccumulators<typename decltype(tag)::Type>>(r); });
    return made;
  };
  return resolved;
}

}  // namespace

std::vector<AggregateFunction> DistinctAggregates() {
  return {
      {"APPROX_COUNT_DISTINCT", "APPROX_COUNT_DISTINCT(value) -> BIGINT",
       "About how many different values there are, with a standard error of 1.15 % in at most 8 KiB a group "
       "(HyperLogLog).",
       "APPROX_COUNT_DISTINCT(x) FROM (VALUES 'a', 'b', NULL, 'a')", "2", ResolveApprox},
  };
}

}  // namespace tidemill
