// COUNT, SUM, AVG, VAR*, STDDEV* over frames: states from which records can be taken back.
#include <cmath>
#include <cstring>
#include <limits>

#include <arrow/api.h>
#include <arrow/util/bit_util.h>

#include "data/arrow_status.h"
#include "exec/internal/double_double.h"
#include "exec/internal/over_column.h"
#include "exec/over_kernel.h"

namespace tidemill {
namespace {

using Int128 = __int128;

double DoubleAt(const uint64_t* record, int word) {
  double value = 0;
  std::memcpy(&value, record + word, 8);
  return value;
}

struct CountState {
  using Value = int64_t;
  static constexpr const char* kNames[] = {"count"};
  static constexpr bool kDoubles[] = {false};
  int64_t count = 0;

  void Add(const uint64_t*, int) { ++count; }
  void Remove(const uint64_t*, int) { --count; }
  bool Suspect() const { return false; }
  Value Get() const { return count; }
};

struct IntegerSumState {
  struct Value {
    int64_t sum, count;
  };
  static constexpr const char* kNames[] = {"sum", "count"};
  static constexpr bool kDoubles[] = {false, false};
  uint64_t sum = 0;  // wraps around, as the function promises
  int64_t count = 0;

  void Add(const uint64_t* record, int word) {
    sum += record[word];
    ++count;
  }
  void Remove(const uint64_t* record, int word) {
    sum -= record[word];
    --count;
  }
  bool Suspect() const { return false; }
  Value Get() const { return {static_cast<int64_t>(sum), count}; }
};

// 106 bits, so that what was added can be taken away again; NaN and infinities are counted beside it.
struct DoubleSumState {
  struct Value {
    double sum;
    int64_t count;
  };
  static constexpr const char* kNames[] = {"sum", "sum_low", "peak", "count", "nans", "infinities"};
  static constexpr bool kDoubles[] = {true, true, true, false, false, false};
  DoubleDouble sum;
  double peak = 0;  // the largest |sum| since bits were last lost; 0 = none were
  int64_t count = 0;
  int64_t nans = 0;
  int32_t plus_infinities = 0;
  int32_t minus_infinities = 0;

  void Fold(double x) {
    if (AddTo(sum, x)) [[unlikely]]
      peak = std::max(peak, std::fabs(x));
    if (peak > 0) [[unlikely]]
      peak = std::max(peak, std::fabs(sum.high));
  }
  void Odd(double x, int sign) {
    if (std::isnan(x)) {
      nans += sign;
    } else {
      (x > 0 ? plus_infinities : minus_infinities) += sign;
    }
  }
  void Add(const uint64_t* record, int word) {
    const double x = DoubleAt(record, word);
    ++count;
    if (!std::isfinite(x)) [[unlikely]]
      return Odd(x, 1);
    Fold(x);
  }
  void Remove(const uint64_t* record, int word) {
    const double x = DoubleAt(record, word);
    --count;
    if (!std::isfinite(x)) [[unlikely]]
      return Odd(x, -1);
    Fold(-x);
  }
  // Bits were lost, and what is left is so small beside what there was that they may matter: fold the frame afresh.
  bool Suspect() const { return peak > 0 && std::fabs(sum.high) < peak * 0x1p-60; }
  Value Get() const {
    if (nans + plus_infinities + minus_infinities > 0) [[unlikely]] {
      if (nans > 0 || (plus_infinities > 0 && minus_infinities > 0))
        return {std::numeric_limits<double>::quiet_NaN(), count};
      const double infinity = std::numeric_limits<double>::infinity();
      return {plus_infinities > 0 ? infinity : -infinity, count};
    }
    return {sum.Value(), count};
  }
};

// The low halves and the high halves are summed apart: neither can overflow in 2^63 additions.
struct DecimalSumState {
  struct Value {
    Int128 sum;
    bool fits;
    int64_t count;
  };
  static constexpr const char* kNames[] = {"low_low", "low_high", "high_low", "high_high", "count"};
  static constexpr bool kDoubles[] = {false, false, false, false, false};
  Int128 low = 0;
  Int128 high = 0;
  int64_t count = 0;

  void Add(const uint64_t* record, int word) {
    low += record[word];
    high += static_cast<int64_t>(record[word + 1]);
    ++count;
  }
  void Remove(const uint64_t* record, int word) {
    low -= record[word];
    high -= static_cast<int64_t>(record[word + 1]);
    --count;
  }
  bool Suspect() const { return false; }
  Value Get() const {
    const Int128 top = high + (low >> 64);
    const Int128 sum = static_cast<Int128>((static_cast<unsigned __int128>(top) << 64) | static_cast<uint64_t>(low));
    const bool fits = top >= std::numeric_limits<int64_t>::min() && top <= std::numeric_limits<int64_t>::max();
    return {sum, fits, count};
  }
};

template <WordKind kKind>
struct MomentState {
  struct Value {
    double deviations;  // sum of squared deviations from the mean
    int64_t count;
  };
  static constexpr const char* kNames[] = {"sum", "sum_low", "squares", "squares_low", "count", "odd"};
  static constexpr bool kDoubles[] = {true, true, true, true, false, false};
  DoubleDouble sum;
  DoubleDouble squares;
  int64_t count = 0;
  int64_t odd = 0;  // NaN and infinities: the answer is then NaN

  static double ValueAt(const uint64_t* record, int word) {
    if constexpr (kKind == WordKind::kDouble) return DoubleAt(record, word);
    return static_cast<double>(static_cast<int64_t>(record[word]));
  }
  void Fold(const uint64_t* record, int word, int sign) {
    const double x = ValueAt(record, word);
    count += sign;
    if (!std::isfinite(x)) [[unlikely]] {
      odd += sign;
      return;
    }
    const DoubleDouble square = TwoProduct(x, x);
    AddTo(sum, sign * x);
    AddTo(squares, DoubleDouble{sign * square.high, sign * square.low});
    if (count == 0) sum = squares = DoubleDouble{};
  }
  void Add(const uint64_t* record, int word) { Fold(record, word, 1); }
  void Remove(const uint64_t* record, int word) { Fold(record, word, -1); }
  bool Suspect() const { return false; }
  Value Get() const {
    if (odd > 0) return {std::numeric_limits<double>::quiet_NaN(), count};
    if (count == 0) return {0, 0};
    DoubleDouble mean_square = Divide(Multiply(sum, sum), static_cast<double>(count));
    DoubleDouble rest = squares;
    AddTo(rest, DoubleDouble{-mean_square.high, -mean_square.low});
    return {std::max(0.0, rest.Value()), count};
  }
};

// --- from values to columns ---

Result<std::shared_ptr<arrow::Array>> ColumnOf(const OverOutput& output, const OverArgument&,
                                               const std::vector<int64_t>& counts) {
  return CountColumn(output.result, counts);
}

Result<std::shared_ptr<arrow::Array>> ColumnOf(const OverOutput& output, const OverArgument&,
                                               const std::vector<IntegerSumState::Value>& values) {
  if (output.function == OverFunction::kCount) {
    return BuildNumbers<int64_t>(output.result, values.size(),
                                 [&](size_t i, int64_t& out) { return out = values[i].count, true; });
  }
  const bool average = output.function == OverFunction::kAvg;
  return BuildNumbers<int64_t>(output.result, values.size(), [&](size_t i, int64_t& out) {
    if (values[i].count <= 0) return false;
    out = average ? values[i].sum / values[i].count : values[i].sum;
    return true;
  });
}

Result<std::shared_ptr<arrow::Array>> ColumnOf(const OverOutput& output, const OverArgument&,
                                               const std::vector<DoubleSumState::Value>& values) {
  if (output.function == OverFunction::kCount) {
    return BuildNumbers<int64_t>(output.result, values.size(),
                                 [&](size_t i, int64_t& out) { return out = values[i].count, true; });
  }
  const bool average = output.function == OverFunction::kAvg;
  return BuildNumbers<double>(output.result, values.size(), [&](size_t i, double& out) {
    if (values[i].count <= 0) return false;
    out = average ? values[i].sum / static_cast<double>(values[i].count) : values[i].sum;
    return true;
  });
}

constexpr Int128 PowerOfTen(int exponent) {
  Int128 power = 1;
  for (int i = 0; i < exponent; ++i) power *= 10;
  return power;
}

// sum / count at `up` more digits, halves away from zero; false when 38 digits do not hold it.
bool DecimalAverage(Int128 sum, int64_t count, int up, Int128& out) {
  const Int128 scale = PowerOfTen(up);
  const Int128 whole = sum / count;
  const Int128 rest = sum % count * scale;  // |rest| < 2^63 * 10^6
  if (__builtin_mul_overflow(whole, scale, &out)) return false;
  Int128 part = rest / count;
  const Int128 left = rest % count;
  if ((left < 0 ? -left : left) * 2 >= count) part += rest < 0 ? -1 : 1;
  return !__builtin_add_overflow(out, part, &out);
}

Result<std::shared_ptr<arrow::Array>> ColumnOf(const OverOutput& output, const OverArgument& argument,
                                               const std::vector<DecimalSumState::Value>& values) {
  if (output.function == OverFunction::kCount) {
    return BuildNumbers<int64_t>(output.result, values.size(),
                                 [&](size_t i, int64_t& out) { return out = values[i].count, true; });
  }
  constexpr Int128 kLimit = PowerOfTen(38);
  const int up = output.result.scale() - argument.type.scale();
  return BuildNumbers<Int128>(output.result, values.size(), [&](size_t i, Int128& out) {
    if (values[i].count <= 0 || !values[i].fits) return false;
    out = values[i].sum;
    if (output.function == OverFunction::kAvg && !DecimalAverage(values[i].sum, values[i].count, up, out)) return false;
    return out < kLimit && out > -kLimit;
  });
}

template <typename Value>
requires requires(Value v) { v.deviations; }
Result<std::shared_ptr<arrow::Array>> ColumnOf(const OverOutput& output, const OverArgument&,
                                               const std::vector<Value>& values) {
  if (output.function == OverFunction::kCount) {
    return BuildNumbers<int64_t>(output.result, values.size(),
                                 [&](size_t i, int64_t& out) { return out = values[i].count, true; });
  }
  const bool sample = output.function == OverFunction::kVarSamp || output.function == OverFunction::kStddevSamp;
  const bool root = output.function == OverFunction::kStddevPop || output.function == OverFunction::kStddevSamp;
  return BuildNumbers<double>(output.result, values.size(), [&](size_t i, double& out) {
    const int64_t by = values[i].count - (sample ? 1 : 0);
    if (by <= 0) return false;
    out = values[i].deviations / static_cast<double>(by);
    if (root) out = std::sqrt(out);
    return true;
  });
}

// --- kernels ---

// COUNT(*) over a bounded frame: what the first pass has found is the answer.
class RowCountKernel final : public OverKernel {
 public:
  void Resize(size_t) override {}
  void StartBatch(int64_t output_rows) override { counts_.assign(static_cast<size_t>(output_rows), 0); }
  void Process(const OverRun& run, const FrameRun& frame) override {
    for (int64_t i = 0; i < run.num_rows; ++i) counts_[run.out[i]] = frame.end[i] - frame.begin[i];
  }
  void Evaluate(const FrameAt&, uint32_t first, uint32_t last, uint32_t out) override { counts_[out] = last - first; }
  void Admit(const FrameAt&, const uint64_t*) override {}
  void Rebuild(const FrameAt&) override {}
  void Clear(const FrameAt&) override {}
  Result<std::shared_ptr<arrow::Array>> Finish(const OverOutput& output) override {
    return CountColumn(output.result, counts_);
  }
  int64_t MemoryBytes() const override { return 0; }

 private:
  std::vector<int64_t> counts_;
};

template <typename State>
class FoldKernel final : public OverKernel, private SlotValues {
  static constexpr size_t kFields = std::size(State::kNames);

 public:
  FoldKernel(bool unbounded, OverArgument argument, TimeBuffer& buffer)
      : unbounded_(unbounded), argument_(std::move(argument)), buffer_(buffer) {
    std::vector<Field> fields;
    for (size_t f = 0; f < kFields; ++f)
      fields.push_back({State::kNames[f], DataType(State::kDoubles[f] ? TypeKind::kDouble : TypeKind::kBigInt, false)});
    schema_ = Schema(std::move(fields));
  }

  void Resize(size_t slots) override { states_.resize(slots); }
  void StartBatch(int64_t output_rows) override { values_.resize(static_cast<size_t>(output_rows)); }
  void Process(const OverRun& run, const FrameRun& frame) override {
    if (argument_.skip_mask == 0) {
      Loop(run, frame, [](const uint64_t*) { return true; });
    } else {
      Loop(run, frame, [word = argument_.null_word, mask = argument_.skip_mask](const uint64_t* record) {
        return (record[word] & mask) == 0;
      });
    }
  }

  // From a copy of the state, by what the two frames do not share; or afresh where that is less.
  void Evaluate(const FrameAt& at, uint32_t first, uint32_t last, uint32_t out) override {
    const TimeBuffer::Ring& ring = buffer_.ring(at.slot);
    if (unbounded_) {
      values_[out] = Shifted(states_[at.state_slot], ring, last, at.end, 0, 0).Get();
      return;
    }
    const uint32_t fresh = last - first;
    const uint32_t apart = (at.end - last) + (at.begin - first);
    if (static_cast<int32_t>(last - at.begin) > 0 && static_cast<int32_t>(at.begin - first) >= 0 && apart < fresh) {
      values_[out] = Shifted(states_[at.state_slot], ring, last, at.end, first, at.begin).Get();
    } else {
      values_[out] = Shifted(State{}, ring, 0, 0, first, last).Get();
    }
  }
  void Admit(const FrameAt& at, const uint64_t* record) override {
    if (argument_.Takes(record)) states_[at.state_slot].Add(record, argument_.word);
  }
  void Rebuild(const FrameAt& at) override {
    if (unbounded_) return;
    states_[at.state_slot] = Shifted(State{}, buffer_.ring(at.slot), 0, 0, at.begin, at.end);
  }
  void Clear(const FrameAt& at) override { states_[at.state_slot] = State{}; }
  Result<std::shared_ptr<arrow::Array>> Finish(const OverOutput& output) override {
    return ColumnOf(output, argument_, values_);
  }
  SlotValues* running() override { return unbounded_ ? this : nullptr; }
  int64_t MemoryBytes() const override { return static_cast<int64_t>(states_.capacity() * sizeof(State)); }

 private:
  template <typename Takes>
  void Loop(const OverRun& run, const FrameRun& frame, Takes takes) {
    const uint32_t* slots = unbounded_ ? run.running_slots : run.slots;
    const int word = argument_.word;
    State* states = states_.data();
    uint32_t leave = 0;
    uint32_t enter = 0;
    for (int64_t i = 0; i < run.num_rows; ++i) {
      if (i + 8 < run.num_rows) __builtin_prefetch(&states[slots[i + 8]]);
      State& state = states[slots[i]];
      for (; leave < frame.leave_ends[i]; ++leave) {
        if (takes(frame.leave[leave])) state.Remove(frame.leave[leave], word);
      }
      for (; enter < frame.enter_ends[i]; ++enter) {
        if (takes(frame.enter[enter])) state.Add(frame.enter[enter], word);
      }
      if (state.Suspect() && !unbounded_) [[unlikely]]
        Rebuild({run.slots[i], run.slots[i], frame.begin[i], frame.end[i]});
      values_[run.out[i]] = state.Get();
    }
  }
  // `state` without [out_first, out_last), with [in_first, in_last).
  State Shifted(State state, const TimeBuffer::Ring& ring, uint32_t out_first, uint32_t out_last, uint32_t in_first,
                uint32_t in_last) const {
    for (uint32_t s = out_first; s != out_last; ++s) {
      const uint64_t* record = buffer_.record(ring, s);
      if (argument_.Takes(record)) state.Remove(record, argument_.word);
    }
    for (uint32_t s = in_first; s != in_last; ++s) {
      const uint64_t* record = buffer_.record(ring, s);
      if (argument_.Takes(record)) state.Add(record, argument_.word);
    }
    return state;
  }

  // --- SlotValues, for unbounded frames ---
  const Schema& schema() const override { return schema_; }
  void Resize(int64_t slots) override { states_.resize(static_cast<size_t>(slots)); }
  void Clear(std::span<const uint32_t> slots) override {
    for (const uint32_t slot : slots) states_[slot] = State{};
  }
  Result<std::vector<std::shared_ptr<arrow::Array>>> Export(std::span<const uint32_t> slots) const override {
    return ExportStates(schema_, slots, [this](uint32_t slot, uint64_t* words) { ToWords(states_[slot], words); });
  }
  Status Import(std::span<const uint32_t> slots, std::span<const std::shared_ptr<arrow::Array>> columns) override {
    ImportStates(slots, columns, [this](uint32_t slot, const uint64_t* words) { FromWords(words, states_[slot]); });
    return Status::OK();
  }

  static void ToWords(const CountState& s, uint64_t* words) { words[0] = static_cast<uint64_t>(s.count); }
  static void FromWords(const uint64_t* words, CountState& s) { s.count = static_cast<int64_t>(words[0]); }
  static void ToWords(const IntegerSumState& s, uint64_t* words) {
    words[0] = s.sum;
    words[1] = static_cast<uint64_t>(s.count);
  }
  static void FromWords(const uint64_t* words, IntegerSumState& s) {
    s.sum = words[0];
    s.count = static_cast<int64_t>(words[1]);
  }
  static void ToWords(const DoubleSumState& s, uint64_t* words) {
    std::memcpy(words, &s.sum, 16);
    std::memcpy(words + 2, &s.peak, 8);
    words[3] = static_cast<uint64_t>(s.count);
    words[4] = static_cast<uint64_t>(s.nans);
    words[5] = (static_cast<uint64_t>(static_cast<uint32_t>(s.plus_infinities)) << 32) |
               static_cast<uint32_t>(s.minus_infinities);
  }
  static void FromWords(const uint64_t* words, DoubleSumState& s) {
    std::memcpy(static_cast<void*>(&s.sum), words, 16);
    std::memcpy(&s.peak, words + 2, 8);
    s.count = static_cast<int64_t>(words[3]);
    s.nans = static_cast<int64_t>(words[4]);
    s.plus_infinities = static_cast<int32_t>(words[5] >> 32);
    s.minus_infinities = static_cast<int32_t>(words[5]);
  }
  static void ToWords(const DecimalSumState& s, uint64_t* words) {
    std::memcpy(words, &s.low, 16);
    std::memcpy(words + 2, &s.high, 16);
    words[4] = static_cast<uint64_t>(s.count);
  }
  static void FromWords(const uint64_t* words, DecimalSumState& s) {
    std::memcpy(&s.low, words, 16);
    std::memcpy(&s.high, words + 2, 16);
    s.count = static_cast<int64_t>(words[4]);
  }
  template <WordKind kKind>
  static void ToWords(const MomentState<kKind>& s, uint64_t* words) {
    std::memcpy(words, &s.sum, 16);
    std::memcpy(words + 2, &s.squares, 16);
    words[4] = static_cast<uint64_t>(s.count);
    words[5] = static_cast<uint64_t>(s.odd);
  }
  template <WordKind kKind>
  static void FromWords(const uint64_t* words, MomentState<kKind>& s) {
    std::memcpy(static_cast<void*>(&s.sum), words, 16);
    std::memcpy(static_cast<void*>(&s.squares), words + 2, 16);
    s.count = static_cast<int64_t>(words[4]);
    s.odd = static_cast<int64_t>(words[5]);
  }

  bool unbounded_;
  OverArgument argument_;
  TimeBuffer& buffer_;
  Schema schema_;
  std::vector<State> states_;
  std::vector<typename State::Value> values_;
};

}  // namespace

Result<std::shared_ptr<arrow::Array>> CountColumn(const DataType& type, const std::vector<int64_t>& counts) {
  return BuildNumbers<int64_t>(type, counts.size(), [&](size_t i, int64_t& out) { return out = counts[i], true; });
}

std::unique_ptr<OverKernel> MakeFoldKernel(const OverKernelSpec& spec, const OverFrame& frame, OverArgument argument,
                                           TimeBuffer& buffer) {
  using Kind = OverKernelSpec::Kind;
  const bool unbounded = frame.unbounded;
  const WordKind kind = argument.kind;
  if (spec.kind == Kind::kRowCount && !unbounded) return std::make_unique<RowCountKernel>();
  if (spec.kind == Kind::kSum && kind == WordKind::kDouble)
    return std::make_unique<FoldKernel<DoubleSumState>>(unbounded, std::move(argument), buffer);
  if (spec.kind == Kind::kSum && kind == WordKind::kDecimal)
    return std::make_unique<FoldKernel<DecimalSumState>>(unbounded, std::move(argument), buffer);
  if (spec.kind == Kind::kSum)
    return std::make_unique<FoldKernel<IntegerSumState>>(unbounded, std::move(argument), buffer);
  if (spec.kind == Kind::kMoments && kind == WordKind::kDouble) {
    return std::make_unique<FoldKernel<MomentState<WordKind::kDouble>>>(unbounded, std::move(argument), buffer);
  }
  if (spec.kind == Kind::kMoments)
    return std::make_unique<FoldKernel<MomentState<WordKind::kInteger>>>(unbounded, std::move(argument), buffer);
  return std::make_unique<FoldKernel<CountState>>(unbounded, std::move(argument), buffer);
}

std::unique_ptr<OverKernel> MakeOverKernel(const OverKernelSpec& spec, const OverFrame& frame, OverArgument argument,
                                           TimeBuffer& buffer) {
  using Kind = OverKernelSpec::Kind;
  switch (spec.kind) {
    case Kind::kExtreme:
      return MakeExtremeKernel(spec, frame, std::move(argument), buffer);
    case Kind::kFirst:
    case Kind::kLast:
    case Kind::kLag:
      return MakeValueKernel(spec, frame, std::move(argument), buffer);
    case Kind::kDistinct:
      return MakeDistinctKernel(std::move(argument), buffer);
    default:
      return MakeFoldKernel(spec, frame, std::move(argument), buffer);
  }
}

}  // namespace tidemill
