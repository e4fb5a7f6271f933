// MIN and MAX over frames: per key a deque of the records that can still become the answer (the ascending minima
// algorithm).
#include <cmath>
#include <cstring>

#include <arrow/api.h>

#include "data/arrow_status.h"
#include "exec/over_kernel.h"

namespace tidemill {
namespace {

// A value as the words of its record. Strings by their number.
struct Extreme {
  uint64_t null = 1;
  uint64_t words[2] = {0, 0};
};

// Whether a is before b in the order of the type; NaN comes after all numbers.
template <WordKind kKind>
bool Less(const uint64_t* a, const uint64_t* b, const StringStore& strings) {
  if constexpr (kKind == WordKind::kDouble) {
    double x = 0;
    double y = 0;
    std::memcpy(&x, a, 8);
    std::memcpy(&y, b, 8);
    if (std::isnan(x) || std::isnan(y)) [[unlikely]]
      return !std::isnan(x);
    return x < y;
  } else if constexpr (kKind == WordKind::kDecimal) {
    __int128 x = 0;
    __int128 y = 0;
    std::memcpy(&x, a, 16);
    std::memcpy(&y, b, 16);
    return x < y;
  } else if constexpr (kKind == WordKind::kString) {
    return strings.Get(*a) < strings.Get(*b);
  } else {
    return static_cast<int64_t>(*a) < static_cast<int64_t>(*b);
  }
}

template <WordKind kKind, bool kLargest>
class ExtremeKernel final : public OverKernel, private SlotValues {
  static constexpr int kWords = kKind == WordKind::kDecimal ? 2 : 1;
  struct Entry {
    uint32_t sequence;
    uint32_t unused;
    uint64_t words[kWords];
  };
  // A ring of entries; the front is the answer.
  struct Deque {
    Entry* base = nullptr;
    uint32_t mask = 0;
    uint32_t front = 0;
    uint32_t back = 0;
  };

 public:
  ExtremeKernel(bool unbounded, OverArgument argument, TimeBuffer& buffer)
      : unbounded_(unbounded),
        argument_(std::move(argument)),
        buffer_(buffer),
        schema_({{"value", argument_.type.WithNullable(true)}}) {}

  void Resize(size_t slots) override { unbounded_ ? running_.resize(slots) : deques_.resize(slots); }
  void StartBatch(int64_t output_rows) override { values_.assign(static_cast<size_t>(output_rows), Extreme{}); }

  void Process(const OverRun& run, const FrameRun& frame) override {
    uint32_t enter = 0;
    for (int64_t i = 0; i < run.num_rows; ++i) {
      if (unbounded_) {
        Extreme& best = running_[run.running_slots[i]];
        for (; enter < frame.enter_ends[i]; ++enter) Improve(frame.enter[enter], best);
        values_[run.out[i]] = best;
        continue;
      }
      Deque& deque = deques_[run.slots[i]];
      while (deque.front != deque.back && static_cast<int32_t>(At(deque, deque.front).sequence - frame.begin[i]) < 0)
        ++deque.front;
      for (uint32_t sequence = run.own[i]; enter < frame.enter_ends[i]; ++enter, ++sequence)
        Push(deque, sequence, frame.enter[enter]);
      Read(deque, values_[run.out[i]]);
    }
  }

  void Evaluate(const FrameAt& at, uint32_t first, uint32_t last, uint32_t out) override {
    const TimeBuffer::Ring& ring = buffer_.ring(at.slot);
    Extreme best;
    for (uint32_t s = first; s != last; ++s) {
      const uint64_t* record = buffer_.record(ring, s);
      if (argument_.Takes(record) && (best.null || Beats(record + argument_.word, best.words)))
        Copy(record + argument_.word, best);
    }
    values_[out] = best;
  }

  void Renumber(const FrameAt& at) override { Rebuild(at); }
  void Rebuild(const FrameAt& at) override {
    if (unbounded_) return;
    Deque& deque = deques_[at.state_slot];
    deque.front = deque.back;
    const TimeBuffer::Ring& ring = buffer_.ring(at.slot);
    for (uint32_t s = at.begin; s != at.end; ++s) Push(deque, s, buffer_.record(ring, s));
  }

  void Clear(const FrameAt& at) override {
    if (unbounded_) return;
    Deque& deque = deques_[at.state_slot];
    if (deque.base) arena_.Free(deque.base, (size_t{deque.mask} + 1) * sizeof(Entry));
    deque = Deque{};
  }

  Result<std::shared_ptr<arrow::Array>> Finish(const OverOutput& output) override {
    return Gather(output.result, values_);
  }
  SlotValues* running() override { return unbounded_ ? this : nullptr; }
  int64_t MemoryBytes() const override {
    return arena_.reserved_bytes() +
           static_cast<int64_t>(deques_.capacity() * sizeof(Deque) + running_.capacity() * sizeof(Extreme));
  }

 private:
  Entry& At(const Deque& deque, uint32_t position) const { return deque.base[position & deque.mask]; }
  bool Beats(const uint64_t* a, const uint64_t* b) const {
    return kLargest ? Less<kKind>(b, a, buffer_.strings()) : Less<kKind>(a, b, buffer_.strings());
  }
  static void Copy(const uint64_t* words, Extreme& to) {
    to.null = 0;
    for (int w = 0; w < kWords; ++w) to.words[w] = words[w];
  }
  void Push(Deque& deque, uint32_t sequence, const uint64_t* record) {
    if (!argument_.Takes(record)) return;
    const uint64_t* words = record + argument_.word;
    // What is not better than the newcomer, and leaves before it, can't become the answer.
    while (deque.front != deque.back && !Beats(At(deque, deque.back - 1).words, words)) --deque.back;
    if (deque.base == nullptr || deque.back - deque.front > deque.mask) Grow(deque);
    Entry& entry = At(deque, deque.back++);
    entry.sequence = sequence;
    for (int w = 0; w < kWords; ++w) entry.words[w] = words[w];
  }
  void Grow(Deque& deque) {
    const uint32_t capacity = deque.base ? (deque.mask + 1) * 2 : 4;
    auto* base = static_cast<Entry*>(arena_.Allocate(capacity * sizeof(Entry)));
    for (uint32_t p = deque.front; p != deque.back; ++p) base[p & (capacity - 1)] = At(deque, p);
    if (deque.base) arena_.Free(deque.base, (size_t{deque.mask} + 1) * sizeof(Entry));
    deque.base = base;
    deque.mask = capacity - 1;
  }
  void Read(const Deque& deque, Extreme& to) const {
    if (deque.front != deque.back) Copy(At(deque, deque.front).words, to);
  }
  // Over unbounded frames the value outlives its record: it holds a reference to its string.
  void Improve(const uint64_t* record, Extreme& best) {
    if (!argument_.Takes(record)) return;
    const uint64_t* words = record + argument_.word;
    if (!best.null && !Beats(words, best.words)) return;
    if (kKind == WordKind::kString) {
      buffer_.strings().AddReference(words[0]);
      buffer_.strings().Release(best.words[0]);
    }
    Copy(words, best);
  }
  Result<std::shared_ptr<arrow::Array>> Gather(const DataType& type, const std::vector<Extreme>& values) const {
    std::vector<const uint64_t*> records;
    records.reserve(values.size());
    for (const Extreme& value : values) records.push_back(&value.null);
    return GatherWords(type, records, 1, 0, 1, buffer_.strings());
  }

  // --- SlotValues, for unbounded frames ---
  const Schema& schema() const override { return schema_; }
  void Resize(int64_t slots) override { running_.resize(static_cast<size_t>(slots)); }
  void Clear(std::span<const uint32_t> slots) override {
    for (const uint32_t slot : slots) {
      if (kKind == WordKind::kString) buffer_.strings().Release(running_[slot].words[0]);
      running_[slot] = Extreme{};
    }
  }
  Result<std::vector<std::shared_ptr<arrow::Array>>> Export(std::span<const uint32_t> slots) const override {
    std::vector<Extreme> values;
    for (const uint32_t slot : slots) values.push_back(running_[slot]);
    TM_ASSIGN_OR_RETURN(auto column, Gather(schema_.field(0).type, values));
    return std::vector<std::shared_ptr<arrow::Array>>{std::move(column)};
  }
  Status Import(std::span<const uint32_t> slots, std::span<const std::shared_ptr<arrow::Array>> columns) override {
    Clear(slots);
    std::vector<uint64_t*> records;
    for (const uint32_t slot : slots) {
      running_[slot].null = 0;
      records.push_back(&running_[slot].null);
    }
    ScatterWords(*columns[0], records.data(), 1, &buffer_.strings());
    ScatterNulls(*columns[0], records.data(), 0, 1);
    return Status::OK();
  }

  bool unbounded_;
  OverArgument argument_;
  TimeBuffer& buffer_;
  Schema schema_;
  BlockArena arena_;
  std::vector<Deque> deques_;
  std::vector<Extreme> running_;
  std::vector<Extreme> values_;
};

template <WordKind kKind>
std::unique_ptr<OverKernel> MakeOf(const OverKernelSpec& spec, const OverFrame& frame, OverArgument argument,
                                   TimeBuffer& buffer) {
  if (spec.largest) return std::make_unique<ExtremeKernel<kKind, true>>(frame.unbounded, std::move(argument), buffer);
  return std::make_unique<ExtremeKernel<kKind, false>>(frame.unbounded, std::move(argument), buffer);
}

}  // namespace

std::unique_ptr<OverKernel> MakeExtremeKernel(const OverKernelSpec& spec, const OverFrame& frame, OverArgument argument,
                                              TimeBuffer& buffer) {
  switch (argument.kind) {
    case WordKind::kDouble:
      return MakeOf<WordKind::kDouble>(spec, frame, std::move(argument), buffer);
    case WordKind::kDecimal:
      return MakeOf<WordKind::kDecimal>(spec, frame, std::move(argument), buffer);
    case WordKind::kString:
      return MakeOf<WordKind::kString>(spec, frame, std::move(argument), buffer);
    default:
      return MakeOf<WordKind::kInteger>(spec, frame, std::move(argument), buffer);
  }
}

}  // namespace tidemill
