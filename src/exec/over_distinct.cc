// COUNT(DISTINCT x) over bounded frames: how often each value is in each key's frame.
#include <cmath>
#include <cstring>

#include <absl/container/flat_hash_map.h>
#include <arrow/api.h>

#include "exec/over_kernel.h"

namespace tidemill {
namespace {

class DistinctKernel final : public OverKernel {
  struct Key {
    uint32_t slot;
    uint64_t low;
    uint64_t high;
    bool operator==(const Key&) const = default;
    template <typename H>
    friend H AbslHashValue(H h, const Key& key) {
      return H::combine(std::move(h), key.slot, key.low, key.high);
    }
  };

 public:
  DistinctKernel(OverArgument argument, TimeBuffer& buffer) : argument_(std::move(argument)), buffer_(buffer) {}

  void Resize(size_t slots) override { distinct_.resize(slots, 0); }
  void StartBatch(int64_t output_rows) override { values_.resize(static_cast<size_t>(output_rows)); }
  void Process(const OverRun& run, const FrameRun& frame) override {
    uint32_t leave = 0;
    uint32_t enter = 0;
    for (int64_t i = 0; i < run.num_rows; ++i) {
      for (; leave < frame.leave_ends[i]; ++leave) Remove(run.slots[i], frame.leave[leave]);
      for (; enter < frame.enter_ends[i]; ++enter) Add(run.slots[i], frame.enter[enter]);
      values_[run.out[i]] = distinct_[run.slots[i]];
    }
  }
  void Evaluate(const FrameAt& at, uint32_t first, uint32_t last, uint32_t out) override {
    const TimeBuffer::Ring& ring = buffer_.ring(at.slot);
    absl::flat_hash_map<Key, int> seen;
    for (uint32_t s = first; s != last; ++s) {
      const uint64_t* record = buffer_.record(ring, s);
      if (argument_.Takes(record)) seen[KeyOf(0, record)] = 1;
    }
    values_[out] = static_cast<int64_t>(seen.size());
  }
  void Admit(const FrameAt& at, const uint64_t* record) override { Add(at.state_slot, record); }
  void Rebuild(const FrameAt& at) override {
    if (distinct_[at.state_slot] != 0)
      absl::erase_if(counts_, [&](const auto& entry) { return entry.first.slot == at.state_slot; });
    distinct_[at.state_slot] = 0;
    const TimeBuffer::Ring& ring = buffer_.ring(at.slot);
    for (uint32_t s = at.begin; s != at.end; ++s) Add(at.state_slot, buffer_.record(ring, s));
  }
  void Clear(const FrameAt& at) override {
    const TimeBuffer::Ring& ring = buffer_.ring(at.slot);
    for (uint32_t s = at.begin; s != at.end; ++s) Remove(at.state_slot, buffer_.record(ring, s));
  }
  Result<std::shared_ptr<arrow::Array>> Finish(const OverOutput& output) override {
    return CountColumn(output.result, values_);
  }
  int64_t MemoryBytes() const override {
    return static_cast<int64_t>(counts_.capacity() * (sizeof(Key) + 9) + distinct_.capacity() * 8);
  }

 private:
  Key KeyOf(uint32_t slot, const uint64_t* record) const {
    Key key{slot, record[argument_.word], argument_.kind == WordKind::kDecimal ? record[argument_.word + 1] : 0};
    if (argument_.kind == WordKind::kDouble) {
      double value = 0;
      std::memcpy(&value, &key.low, 8);
      if (value == 0) key.low = 0;
      if (std::isnan(value)) key.low = 0x7ff8000000000000u;
    }
    return key;
  }
  void Add(uint32_t slot, const uint64_t* record) {
    if (argument_.Takes(record) && ++counts_[KeyOf(slot, record)] == 1) ++distinct_[slot];
  }
  void Remove(uint32_t slot, const uint64_t* record) {
    if (!argument_.Takes(record)) return;
    const auto found = counts_.find(KeyOf(slot, record));
    TM_CHECK(found != counts_.end());
    if (--found->second > 0) return;
    counts_.erase(found);
    --distinct_[slot];
  }

  OverArgument argument_;
  TimeBuffer& buffer_;
  absl::flat_hash_map<Key, int64_t> counts_;
  std::vector<int64_t> distinct_;
  std::vector<int64_t> values_;
};

}  // namespace

std::unique_ptr<OverKernel> MakeDistinctKernel(OverArgument argument, TimeBuffer& buffer) {
  return std::make_unique<DistinctKernel>(std::move(argument), buffer);
}

}  // namespace tidemill
