// FIRST_VALUE, LAST_VALUE (of what is not NULL, as in Flink) and LAG.
#include <arrow/api.h>

#include "data/arrow_status.h"
#include "exec/over_kernel.h"

namespace tidemill {
namespace {

struct Kept {
  uint64_t null = 1;
  uint64_t words[2] = {0, 0};
};

class ValueKernel final : public OverKernel, private SlotValues {
  using Kind = OverKernelSpec::Kind;
  struct Cursor {
    uint32_t sequence = 0;
    bool set = false;
  };

 public:
  ValueKernel(const OverKernelSpec& spec, bool unbounded, OverArgument argument, TimeBuffer& buffer)
      : kind_(spec.kind),
        unbounded_(unbounded),
        offset_(static_cast<uint32_t>(std::min<int64_t>(spec.offset, 1 << 30))),
        argument_(std::move(argument)),
        words_(WordsOf(argument_.type)),
        buffer_(buffer),
        schema_({{"value", argument_.type.WithNullable(true)}}) {}

  void Resize(size_t slots) override {
    if (unbounded_) {
      running_.resize(slots);
    } else if (kind_ != Kind::kLag) {
      cursors_.resize(slots);
    }
  }
  void StartBatch(int64_t output_rows) override { values_.assign(static_cast<size_t>(output_rows), Kept{}); }

  void Process(const OverRun& run, const FrameRun& frame) override {
    if (kind_ == Kind::kLag) return ProcessLag(run);
    uint32_t enter = 0;
    for (int64_t i = 0; i < run.num_rows; ++i) {
      const uint32_t first_entered = enter;
      enter = frame.enter_ends[i];
      if (unbounded_) {
        Kept& kept = running_[run.running_slots[i]];
        for (uint32_t e = first_entered; e < enter; ++e) Keep(frame.enter[e], kept);
        values_[run.out[i]] = kept;
        continue;
      }
      Cursor& cursor = cursors_[run.slots[i]];
      const TimeBuffer::Ring& ring = buffer_.ring(run.slots[i]);
      if (kind_ == Kind::kFirst) {
        Seek(ring, frame.begin[i], frame.end[i], cursor);
      } else {
        for (uint32_t e = first_entered; e < enter; ++e) {
          if (argument_.Takes(frame.enter[e])) cursor = {run.own[i] + (e - first_entered), true};
        }
      }
      if (cursor.set && static_cast<int32_t>(cursor.sequence - frame.begin[i]) >= 0 &&
          static_cast<int32_t>(cursor.sequence - frame.end[i]) < 0) {
        Copy(buffer_.record(ring, cursor.sequence), values_[run.out[i]]);
      }
    }
  }

  void Evaluate(const FrameAt& at, uint32_t first, uint32_t last, uint32_t out) override {
    const TimeBuffer::Ring& ring = buffer_.ring(at.slot);
    values_[out] = Kept{};
    if (kind_ == Kind::kLag) {
      const uint32_t own = last - 1;
      if (own - ring.front >= offset_) CopyIfTaken(buffer_.record(ring, own - offset_), values_[out]);
      return;
    }
    for (uint32_t n = 0; n < last - first; ++n) {
      const uint64_t* record = buffer_.record(ring, kind_ == Kind::kFirst ? first + n : last - 1 - n);
      if (!argument_.Takes(record)) continue;
      Copy(record, values_[out]);
      return;
    }
  }

  void Renumber(const FrameAt& at) override { Rebuild(at); }
  void Rebuild(const FrameAt& at) override {
    if (unbounded_ || kind_ == Kind::kLag) return;
    Cursor& cursor = cursors_[at.state_slot];
    cursor = Cursor{};
    const TimeBuffer::Ring& ring = buffer_.ring(at.slot);
    if (kind_ == Kind::kFirst) return Seek(ring, at.begin, at.end, cursor);
    for (uint32_t s = at.end; s != at.begin; --s) {
      if (!argument_.Takes(buffer_.record(ring, s - 1))) continue;
      cursor = {s - 1, true};
      return;
    }
  }
  void Clear(const FrameAt& at) override {
    if (!unbounded_ && kind_ != Kind::kLag) cursors_[at.state_slot] = Cursor{};
  }

  Result<std::shared_ptr<arrow::Array>> Finish(const OverOutput& output) override {
    return Gather(output.result, values_);
  }
  SlotValues* running() override { return unbounded_ ? this : nullptr; }
  int64_t MemoryBytes() const override {
    return static_cast<int64_t>(cursors_.capacity() * sizeof(Cursor) + running_.capacity() * sizeof(Kept));
  }

 private:
  void ProcessLag(const OverRun& run) {
    for (int64_t i = 0; i < run.num_rows; ++i) {
      const TimeBuffer::Ring& ring = buffer_.ring(run.slots[i]);
      if (run.own[i] - ring.front >= offset_)
        CopyIfTaken(buffer_.record(ring, run.own[i] - offset_), values_[run.out[i]]);
    }
  }
  // The first record in [begin, end) that counts, from where it was found before.
  void Seek(const TimeBuffer::Ring& ring, uint32_t begin, uint32_t end, Cursor& cursor) const {
    uint32_t at = cursor.set && static_cast<int32_t>(cursor.sequence - begin) > 0 ? cursor.sequence : begin;
    while (at != end && !argument_.Takes(buffer_.record(ring, at))) ++at;
    cursor = {at, true};
  }
  void Copy(const uint64_t* record, Kept& to) const {
    to.null = 0;
    for (int w = 0; w < words_; ++w) to.words[w] = record[argument_.word + w];
  }
  void CopyIfTaken(const uint64_t* record, Kept& to) const {
    if (argument_.Takes(record)) Copy(record, to);
  }
  void Keep(const uint64_t* record, Kept& kept) {
    if (!argument_.Takes(record) || (kind_ == Kind::kFirst && !kept.null)) return;
    if (argument_.kind == WordKind::kString) {
      buffer_.strings().AddReference(record[argument_.word]);
      buffer_.strings().Release(kept.words[0]);
    }
    Copy(record, kept);
  }
  Result<std::shared_ptr<arrow::Array>> Gather(const DataType& type, const std::vector<Kept>& values) const {
    std::vector<const uint64_t*> records;
    records.reserve(values.size());
    for (const Kept& value : values) records.push_back(&value.null);
    return GatherWords(type, records, 1, 0, 1, buffer_.strings());
  }

  // --- SlotValues, for unbounded frames ---
  const Schema& schema() const override { return schema_; }
  void Resize(int64_t slots) override { running_.resize(static_cast<size_t>(slots)); }
  void Clear(std::span<const uint32_t> slots) override {
    for (const uint32_t slot : slots) {
      if (argument_.kind == WordKind::kString) buffer_.strings().Release(running_[slot].words[0]);
      running_[slot] = Kept{};
    }
  }
  Result<std::vector<std::shared_ptr<arrow::Array>>> Export(std::span<const uint32_t> slots) const override {
    std::vector<Kept> values;
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

  Kind kind_;
  bool unbounded_;
  uint32_t offset_;
  OverArgument argument_;
  int words_;
  TimeBuffer& buffer_;
  Schema schema_;
  std::vector<Cursor> cursors_;
  std::vector<Kept> running_;
  std::vector<Kept> values_;
};

}  // namespace

std::unique_ptr<OverKernel> MakeValueKernel(const OverKernelSpec& spec, const OverFrame& frame, OverArgument argument,
                                            TimeBuffer& buffer) {
  return std::make_unique<ValueKernel>(spec, frame.unbounded, std::move(argument), buffer);
}

}  // namespace tidemill
