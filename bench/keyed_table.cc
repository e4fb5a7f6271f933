// Keyed updates: one row = find or insert its key and add to the accumulator beside it, in batches of 8,192 rows.
// Peer: absl::flat_hash_map<int64_t, int64_t> (and <std::string, int64_t>), row by row, in the same run.
//
// One iteration is 4 M rows over N keys that all exist; median and spread of 7.
#include "state/keyed_table.h"

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <string>
#include <vector>

#include <absl/container/flat_hash_map.h>
#include <arrow/api.h>

#include "base/random.h"

namespace tidemill {
namespace {

constexpr int64_t kRows = 4 << 20;
constexpr int64_t kBatch = 8192;
constexpr int kRepeats = 7;

class Sums final : public SlotValues {
 public:
  const Schema& schema() const override { return schema_; }
  void Resize(int64_t slots) override { sums.resize(static_cast<size_t>(slots), 0); }
  void Clear(std::span<const uint32_t> slots) override {
    for (const uint32_t slot : slots) sums[slot] = 0;
  }
  Result<std::vector<std::shared_ptr<arrow::Array>>> Export(std::span<const uint32_t>) const override {
    return std::vector<std::shared_ptr<arrow::Array>>{};
  }
  Status Import(std::span<const uint32_t>, std::span<const std::shared_ptr<arrow::Array>>) override {
    return Status::OK();
  }
  int64_t MemoryBytes() const override { return static_cast<int64_t>(sums.capacity() * 8); }
  std::vector<int64_t> sums;

 private:
  Schema schema_;
};

struct Timing {
  double median, low, high;
};

template <typename Run>
Timing Measure(Run run) {
  run();  // warm-up: makes all keys
  std::vector<double> times;
  for (int i = 0; i < kRepeats; ++i) {
    const auto start = std::chrono::steady_clock::now();
    run();
    times.push_back(std::chrono::duration<double, std::nano>(std::chrono::steady_clock::now() - start).count() /
                    static_cast<double>(kRows));
  }
  std::sort(times.begin(), times.end());
  return {times[kRepeats / 2], times.front(), times.back()};
}

std::vector<std::shared_ptr<arrow::Array>> Batches(const std::vector<int64_t>& keys, bool text) {
  std::vector<std::shared_ptr<arrow::Array>> batches;
  for (size_t base = 0; base < keys.size(); base += kBatch) {
    if (text) {
      arrow::StringBuilder builder;
      for (size_t i = base; i < base + kBatch; ++i)
        TM_CHECK(builder.Append("customer-" + std::to_string(keys[i])).ok());
      batches.push_back(*builder.Finish());
    } else {
      arrow::Int64Builder builder;
      TM_CHECK(builder.AppendValues(keys.data() + base, kBatch).ok());
      batches.push_back(*builder.Finish());
    }
  }
  return batches;
}

void RunCase(int64_t num_keys, bool text) {
  Random random(1);
  std::vector<int64_t> keys(kRows);
  for (int64_t& key : keys) key = static_cast<int64_t>(random.Uniform(static_cast<uint64_t>(num_keys)));
  const auto batches = Batches(keys, text);

  Sums sums;
  auto table = KeyedTable::Make({.keys = {{"k", DataType(text ? TypeKind::kString : TypeKind::kBigInt, text)}}}, &sums);
  TM_CHECK(table.ok());
  std::vector<uint32_t> slots;
  const Timing ours = Measure([&] {
    for (const auto& batch : batches) {
      TM_CHECK((*table)->Upsert({batch}, kBatch, slots).ok());
      for (const uint32_t slot : slots) sums.sums[slot] += 3;
    }
  });

  Timing peer{};
  int64_t peer_total = 0;
  if (text) {
    absl::flat_hash_map<std::string, int64_t> map;
    peer = Measure([&] {
      for (const auto& batch : batches) {
        const auto& values = static_cast<const arrow::StringArray&>(*batch);
        for (int64_t i = 0; i < kBatch; ++i)
          map[absl::string_view(values.GetView(i).data(), values.GetView(i).size())] += 3;
      }
    });
    for (const auto& [key, value] : map) peer_total += value;
  } else {
    absl::flat_hash_map<int64_t, int64_t> map;
    peer = Measure([&] {
      for (const auto& batch : batches) {
        const int64_t* values = static_cast<const arrow::Int64Array&>(*batch).raw_values();
        for (int64_t i = 0; i < kBatch; ++i) map[values[i]] += 3;
      }
    });
    for (const auto& [key, value] : map) peer_total += value;
  }
  int64_t total = 0;
  for (const int64_t sum : sums.sums) total += sum;
  TM_CHECK(total == peer_total);
  std::printf("%-7s %9ld keys  %6.1f ns/row (%.1f .. %.1f)   absl %6.1f ns/row (%.1f .. %.1f)   ratio %.2f   %ld MiB\n",
              text ? "STRING" : "BIGINT", num_keys, ours.median, ours.low, ours.high, peer.median, peer.low, peer.high,
              peer.median / ours.median, (*table)->MemoryBytes() >> 20);
}

}  // namespace
}  // namespace tidemill

int main() {
  std::printf("a keyed update, budget 20 ns in cache and 150 ns out of it; ratio = peer / ours\n");
  for (const int64_t num_keys : {1'000, 10'000, 100'000, 1'000'000, 4'000'000}) tidemill::RunCase(num_keys, false);
  for (const int64_t num_keys : {1'000, 100'000, 1'000'000}) tidemill::RunCase(num_keys, true);
}
