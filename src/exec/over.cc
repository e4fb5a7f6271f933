#include "exec/over.h"

#include <algorithm>
#include <cstring>
#include <numeric>

#include <arrow/api.h>

#include "exec/errors.h"
#include "exec/event_time.h"

namespace tidemill {
namespace {

// Rows of a run: what they touch stays in the second-level cache from the first pass to the last kernel.
constexpr size_t kRunRows = 1024;
constexpr size_t kAhead = 12;

}  // namespace

class Over::Running final : public SlotValues {
 public:
  explicit Running(std::vector<std::pair<std::string, SlotValues*>> parts) : parts_(std::move(parts)) {
    std::vector<Field> fields;
    for (const auto& [name, part] : parts_) {
      for (const Field& field : part->schema().fields()) fields.push_back({name + "." + field.name, field.type});
    }
    schema_ = Schema(std::move(fields));
  }
  const Schema& schema() const override { return schema_; }
  void Resize(int64_t slots) override {
    for (auto& [name, part] : parts_) part->Resize(slots);
  }
  void Clear(std::span<const uint32_t> slots) override {
    for (auto& [name, part] : parts_) part->Clear(slots);
  }
  Result<std::vector<std::shared_ptr<arrow::Array>>> Export(std::span<const uint32_t> slots) const override {
    std::vector<std::shared_ptr<arrow::Array>> all;
    for (const auto& [name, part] : parts_) {
      TM_ASSIGN_OR_RETURN(auto columns, part->Export(slots));
      all.insert(all.end(), columns.begin(), columns.end());
    }
    return all;
  }
  Status Import(std::span<const uint32_t> slots, std::span<const std::shared_ptr<arrow::Array>> columns) override {
    size_t at = 0;
    for (auto& [name, part] : parts_) {
      const size_t width = static_cast<size_t>(part->schema().num_fields());
      TM_RETURN_IF_ERROR(part->Import(slots, columns.subspan(at, width)));
      at += width;
    }
    return Status::OK();
  }
  int64_t MemoryBytes() const override {
    int64_t bytes = 0;
    for (const auto& [name, part] : parts_) bytes += part->MemoryBytes();
    return bytes;
  }

 private:
  std::vector<std::pair<std::string, SlotValues*>> parts_;
  Schema schema_;
};

Over::Over(OverSpec spec, OverPlan plan, Schema input, Schema output)
    : spec_(std::move(spec)),
      plan_(std::move(plan)),
      input_(std::move(input)),
      output_(std::move(output)),
      on_arrival_(spec_.emit == OverEmit::kOnArrival),
      frames_(plan_.frames, !on_arrival_) {}

Over::~Over() = default;

Result<std::unique_ptr<Over>> Over::Make(OverSpec spec, const Schema& input, const Schema& output) {
  TM_ASSIGN_OR_RETURN(OverPlan plan, OverPlan::Make(spec, input));
  TM_RETURN_IF_ERROR(
      TimeBuffer::Make(plan.buffer).status());  // refuses types and too many columns now, not at run time
  return std::unique_ptr<Over>(new Over(std::move(spec), std::move(plan), input, output));
}

Status Over::MakeKernels() {
  std::vector<std::pair<std::string, SlotValues*>> running;
  for (const OverKernelSpec& spec : plan_.kernels) {
    OverArgument argument;
    argument.null_word = buffer_->null_word();
    if (spec.value >= 0) {
      argument.type = plan_.values[static_cast<size_t>(spec.value)]->type;
      argument.kind = WordKindOf(argument.type);
      argument.word = buffer_->word_of(spec.value);
      argument.skip_mask = buffer_->null_bit(spec.value);
    }
    if (spec.filter >= 0) argument.skip_mask |= buffer_->flag_bit(spec.filter);
    kernels_.push_back(
        MakeOverKernel(spec, plan_.frames[static_cast<size_t>(spec.frame)], std::move(argument), *buffer_));
    // Named by the calls it serves: those of a changed query find theirs again.
    const AggregateCall& call = spec_.calls[static_cast<size_t>(spec.outputs[0].call)].call;
    if (SlotValues* state = kernels_.back()->running()) running.emplace_back(call.name, state);
  }
  if (!running.empty()) running_values_ = std::make_unique<Running>(std::move(running));
  return Status::OK();
}

Status Over::Open(OpenContext& context) {
  rejecter_.Open(context);
  std::vector<ExpressionPtr> evaluated;
  for (const ExpressionPtr& value : plan_.values) {
    plain_columns_.push_back(value->kind == Expression::Kind::kColumn ? value->column : -1);
    if (plain_columns_.back() < 0) evaluated.push_back(value);
  }
  evaluated.insert(evaluated.end(), plan_.filters.begin(), plan_.filters.end());
  if (!evaluated.empty())
    evaluator_ = std::make_unique<ExpressionEvaluator>(std::move(evaluated), *context.clock, context.time_zone);
  TM_ASSIGN_OR_RETURN(buffer_, TimeBuffer::Make(plan_.buffer));
  TM_RETURN_IF_ERROR(MakeKernels());
  TM_RETURN_IF_ERROR(context.state->Register("rows", buffer_.get()));
  if (!on_arrival_) {
    TM_ASSIGN_OR_RETURN(pending_, RowBuffer::Make({input_, spec_.partition_columns}));
    TM_RETURN_IF_ERROR(context.state->Register("pending", pending_.get()));
    watermark_ = pending_->released_until();
  } else if (buffer_->trim_bound() != kMinEventTime) {
    watermark_ = SaturatingAdd(buffer_->trim_bound(), 2 * plan_.range_ms);
  }
  if (running_values_) {
    TM_ASSIGN_OR_RETURN(running_, KeyedTable::Make({.keys = plan_.buffer.keys}, running_values_.get()));
    TM_RETURN_IF_ERROR(context.state->Register("running", running_.get()));
  }
  return RebuildAll();
}

// After a restore: frames and their states from the records.
Status Over::RebuildAll() {
  frames_.Resize(buffer_->slot_limit());
  for (size_t k = 0; k < kernels_.size(); ++k) {
    if (!kernels_[k]->running()) kernels_[k]->Resize(buffer_->slot_limit());
  }
  for (uint32_t slot = 0; slot < buffer_->slot_limit(); ++slot) {
    frames_.Rebuild(*buffer_, slot);
    for (size_t k = 0; k < kernels_.size(); ++k) {
      if (kernels_[k]->running()) continue;
      kernels_[k]->Rebuild(
          {slot, slot, frames_.begin(slot, static_cast<size_t>(plan_.kernels[k].frame)), buffer_->ring(slot).back});
    }
  }
  is_slow_.resize(buffer_->slot_limit(), 0);
  return Status::OK();
}

Result<bool> Over::DropLate(Batch& batch, std::vector<EventTime>& times, EventTime bound, Collector& out) {
  const arrow::Array& column = *batch.rows->column(spec_.time_column);
  EventTimesOf(column, times);
  const bool has_nulls = column.null_count() > 0;
  if (!has_nulls && std::none_of(times.begin(), times.end(), [bound](EventTime time) { return time <= bound; }))
    return true;
  std::vector<int32_t> kept;
  std::vector<EventTime> kept_times;
  for (size_t i = 0; i < times.size(); ++i) {
    const int64_t row = static_cast<int64_t>(i);
    if (has_nulls && column.IsNull(row)) {
      rejecter_.NullRowtime(out, batch, row, input_.field(spec_.time_column).name);
    } else if (times[i] <= bound) {
      rejecter_.Late(out, batch, row, times[i], watermark_);
    } else {
      kept.push_back(static_cast<int32_t>(i));
      kept_times.push_back(times[i]);
    }
  }
  if (kept.empty()) return false;
  TM_ASSIGN_OR_RETURN(batch, TakeRows(batch, kept));
  times = std::move(kept_times);
  return true;
}

Status Over::ProcessBatch(int, Batch batch, Collector& out) {
  std::vector<EventTime> times;
  const EventTime bound = on_arrival_ ? SaturatingSubtract(watermark_, plan_.range_ms + 1) : watermark_;
  TM_ASSIGN_OR_RETURN(const bool any, DropLate(batch, times, bound, out));
  if (!any) return Status::OK();
  if (on_arrival_) return ProcessRows(std::move(batch), std::move(times), out);
  return pending_->Add(std::move(batch), std::move(times));
}

Status Over::OnWatermark(EventTime watermark, Collector& out) {
  if (watermark <= watermark_) return Status::OK();
  if (!on_arrival_) {
    std::vector<RowBuffer::Released> released;
    TM_RETURN_IF_ERROR(pending_->TakeUntil(watermark, released));
    for (RowBuffer::Released& rows : released)
      TM_RETURN_IF_ERROR(ProcessRows(std::move(rows.batch), std::move(rows.times), out));
  }
  watermark_ = watermark;
  buffer_->set_trim_bound(RetainFrom());
  Sweep(16);
  return Status::OK();
}

// Records older than this can't be reached by a frame of a row to come.
EventTime Over::RetainFrom() const {
  if (watermark_ == kMinEventTime) return kMinEventTime;
  return SaturatingSubtract(watermark_, on_arrival_ ? 2 * plan_.range_ms : plan_.range_ms);
}

Status Over::FillRecords(Batch& batch, std::vector<EventTime>& times, Collector& out) {
  std::vector<std::shared_ptr<arrow::Array>> evaluated;
  if (evaluator_) {
    std::vector<EvalContext::RowError> errors;
    TM_ASSIGN_OR_RETURN(evaluated, evaluator_->Evaluate(batch, errors));
    if (!errors.empty()) {
      std::vector<int32_t> good;
      rejecter_.Failed(out, batch, errors, good);
      std::vector<EventTime> good_times;
      for (const int32_t row : good) good_times.push_back(times[static_cast<size_t>(row)]);
      times = std::move(good_times);
      TM_ASSIGN_OR_RETURN(batch, TakeRows(batch, good));
      if (good.empty()) return Status::OK();
      errors.clear();
      TM_ASSIGN_OR_RETURN(evaluated, evaluator_->Evaluate(batch, errors));
    }
  }
  const size_t n = times.size();
  const size_t width = static_cast<size_t>(buffer_->record_words());
  table_.resize(n * width);
  records_.resize(n);
  for (size_t i = 0; i < n; ++i) {
    records_[i] = table_.data() + i * width;
    records_[i][0] = static_cast<uint64_t>(times[i]);
  }
  const int null_word = buffer_->null_word();
  if (null_word >= 0) {
    for (size_t i = 0; i < n; ++i) records_[i][null_word] = 0;
  }
  size_t next = 0;
  for (size_t v = 0; v < plan_.values.size(); ++v) {
    const auto& column = plain_columns_[v] >= 0 ? batch.rows->column(plain_columns_[v]) : evaluated[next++];
    ScatterWords(*column, records_.data(), buffer_->word_of(static_cast<int>(v)), &buffer_->strings());
    if (const uint64_t bit = buffer_->null_bit(static_cast<int>(v)))
      ScatterNulls(*column, records_.data(), null_word, bit);
  }
  // A flag says that the row does not pass the filter.
  for (size_t f = 0; f < plan_.filters.size(); ++f) {
    const auto& passes = static_cast<const arrow::BooleanArray&>(*evaluated[next++]);
    const uint64_t bit = buffer_->flag_bit(static_cast<int>(f));
    for (size_t i = 0; i < n; ++i) {
      const int64_t row = static_cast<int64_t>(i);
      records_[i][null_word] |= passes.IsValid(row) && passes.Value(row) ? 0 : bit;
    }
  }
  return Status::OK();
}

Status Over::FindKeys(const Batch& batch) {
  std::vector<std::shared_ptr<arrow::Array>> keys;
  for (const int column : spec_.partition_columns) keys.push_back(batch.rows->column(column));
  TM_RETURN_IF_ERROR(buffer_->FindOrInsert(keys, batch.num_rows(), slots_));
  if (is_slow_.size() < buffer_->slot_limit()) {
    const size_t room = buffer_->slot_limit() + buffer_->slot_limit() / 2 + 64;
    is_slow_.resize(room, 0);
    frames_.Resize(room);
    for (auto& kernel : kernels_) {
      if (!kernel->running()) kernel->Resize(room);
    }
  }
  if (running_) return running_->Upsert(keys, batch.num_rows(), running_slots_);
  return Status::OK();
}

void Over::AppendRecords(const std::vector<EventTime>& times) {
  const size_t n = times.size();
  const size_t bytes = static_cast<size_t>(buffer_->record_words()) * 8;
  own_.resize(n);
  fast_.clear();
  slow_.clear();
  for (size_t i = 0; i < n; ++i) {
    if (i + kAhead < n) __builtin_prefetch(&buffer_->ring(slots_[i + kAhead]));
    if (i + kAhead / 2 < n) {
      const TimeBuffer::Ring& ring = buffer_->ring(slots_[i + kAhead / 2]);
      if (ring.base) __builtin_prefetch(buffer_->record(ring, ring.back), 1);
    }
    const uint32_t slot = slots_[i];
    if (on_arrival_) {
      const TimeBuffer::Ring& ring = buffer_->ring(slot);
      if (is_slow_[slot] || (ring.size() > 0 && times[i] < ring.newest)) {
        is_slow_[slot] = 1;
        slow_.push_back(static_cast<uint32_t>(i));
        continue;
      }
    }
    std::memcpy(buffer_->Append(slot, times[i]), records_[i], bytes);
    own_[i] = buffer_->ring(slot).back - 1;
    fast_.push_back(static_cast<uint32_t>(i));
  }
}

void Over::ProcessFast(const std::vector<EventTime>& times) {
  const uint32_t* slots = slots_.data();
  const uint32_t* running_slots = running_ ? running_slots_.data() : nullptr;
  const uint32_t* own = own_.data();
  const EventTime* run_times = times.data();
  if (!slow_.empty()) {
    const auto pick = [this](const auto& from, auto& to) {
      to.resize(fast_.size());
      for (size_t i = 0; i < fast_.size(); ++i) to[i] = from[fast_[i]];
      return to.data();
    };
    slots = pick(slots_, run_slots_);
    if (running_) running_slots = pick(running_slots_, run_running_slots_);
    own = pick(own_, run_own_);
    run_times = pick(times, run_times_);
  }
  for (size_t base = 0; base < fast_.size(); base += kRunRows) {
    const OverRun run{.num_rows = static_cast<int64_t>(std::min(kRunRows, fast_.size() - base)),
                      .slots = slots + base,
                      .running_slots = running_slots ? running_slots + base : nullptr,
                      .own = own + base,
                      .out = fast_.data() + base};
    frames_.Advance(*buffer_, run, run_times + base);
    for (size_t k = 0; k < kernels_.size(); ++k)
      kernels_[k]->Process(run, frames_.result(static_cast<size_t>(plan_.kernels[k].frame)));
  }
}

FrameAt Over::At(uint32_t row, size_t frame) const {
  const uint32_t slot = slots_[row];
  const uint32_t state_slot = plan_.frames[frame].unbounded ? running_slots_[row] : slot;
  return {slot, state_slot, frames_.begin(slot, frame), buffer_->ring(slot).back};
}

// One row of a key that had a row out of order: in any place.
void Over::ProcessSlow(uint32_t row, EventTime time) {
  const uint32_t slot = slots_[row];
  uint32_t own = 0;
  uint64_t* record = buffer_->Insert(slot, time, &own);
  std::memcpy(record, records_[row], static_cast<size_t>(buffer_->record_words()) * 8);
  buffer_->NoteInserted(slot, own);
  own_[row] = own;
  const TimeBuffer::Ring& ring = buffer_->ring(slot);
  if (own == ring.back - 1) {
    const OverRun run{.num_rows = 1,
                      .slots = &slots_[row],
                      .running_slots = running_ ? &running_slots_[row] : nullptr,
                      .own = &own_[row],
                      .out = &row};
    frames_.Advance(*buffer_, run, &time);
    for (size_t k = 0; k < kernels_.size(); ++k)
      kernels_[k]->Process(run, frames_.result(static_cast<size_t>(plan_.kernels[k].frame)));
    return;
  }
  frames_.set_entered(slot, ring.back);
  for (size_t f = 0; f < plan_.frames.size(); ++f) {
    const OverFrame& frame = plan_.frames[f];
    uint32_t begin = frames_.begin(slot, f);
    const bool inside = static_cast<int32_t>(own - begin) >= 0;
    const bool in_range = frame.unbounded || (frame.unit == OverFrame::Unit::kRange &&
                                              time >= SaturatingSubtract(ring.newest, frame.preceding));
    const bool rows_frame = !frame.unbounded && frame.unit == OverFrame::Unit::kRows;
    // In front of the frame: its records have moved by one. Inside a ROWS frame: its first record is pushed out, once
    // the frame is full.
    if (rows_frame) {
      begin = frames_.BeginAt(*buffer_, ring, f, ring.back - 1, ring.newest);
    } else if (!in_range) {
      ++begin;
    }
    frames_.set_begin(slot, f, begin);
    const FrameAt at = At(row, f);
    for (size_t k = 0; k < kernels_.size(); ++k) {
      if (static_cast<size_t>(plan_.kernels[k].frame) != f) continue;
      if (rows_frame) {
        inside ? kernels_[k]->Rebuild(at) : kernels_[k]->Renumber(at);
      } else if (in_range) {
        kernels_[k]->Admit(at, buffer_->record(ring, own));
      } else {
        kernels_[k]->Renumber(at);
      }
      kernels_[k]->Evaluate(at, frames_.BeginAt(*buffer_, ring, f, own, time), own + 1, row);
    }
  }
}

// Lets go of records that no frame of this batch's keys holds any more.
void Over::Trim() {
  const uint32_t rows_kept = static_cast<uint32_t>(plan_.rows_kept);
  const EventTime retain_from = RetainFrom();
  for (size_t i = 0; i < slots_.size(); ++i) {
    if (i + kAhead < slots_.size()) __builtin_prefetch(&buffer_->ring(slots_[i + kAhead]));
    const uint32_t slot = slots_[i];
    const TimeBuffer::Ring& ring = buffer_->ring(slot);
    uint32_t keep = ring.back - frames_.FirstHeld(ring, slot);  // counted from the end
    if (!on_arrival_) {
      keep = std::max(keep, rows_kept);
      if (ring.size() > keep) buffer_->TrimTo(slot, ring.back - keep);
      continue;
    }
    // A row to come may lie anywhere after the late bound, and look back from there.
    if (ring.size() <= keep || buffer_->time(ring, ring.front) >= retain_from) continue;
    if (rows_kept > 0)
      keep = std::max(
          keep, ring.back - buffer_->LowerBound(ring, SaturatingSubtract(watermark_, plan_.range_ms)) + rows_kept);
    uint32_t front = ring.front;
    while (ring.back - front > keep && buffer_->time(ring, front) < retain_from) ++front;
    buffer_->TrimTo(slot, front);
  }
}

// Forgets keys that no row to come can reach, a few at a time.
void Over::Sweep(size_t slots_max) {
  if (plan_.rows_kept > 0 || watermark_ == kMinEventTime) return;
  const EventTime retain_from = RetainFrom();
  const uint32_t limit = buffer_->slot_limit();
  for (size_t i = 0; i < std::min<size_t>(slots_max, limit); ++i) {
    if (sweep_cursor_ >= limit) sweep_cursor_ = 0;
    const uint32_t slot = sweep_cursor_++;
    if (!buffer_->IsLive(slot)) continue;
    const TimeBuffer::Ring& ring = buffer_->ring(slot);
    if (ring.size() > 0 && ring.newest >= retain_from) continue;
    for (size_t k = 0; k < kernels_.size(); ++k) {
      if (!kernels_[k]->running())
        kernels_[k]->Clear({slot, slot, frames_.begin(slot, static_cast<size_t>(plan_.kernels[k].frame)), ring.back});
    }
    frames_.Clear(slot);
    buffer_->EraseKey(slot);
  }
}

Status Over::ProcessRows(Batch batch, std::vector<EventTime> times, Collector& out) {
  TM_RETURN_IF_ERROR(FillRecords(batch, times, out));
  const int64_t n = batch.num_rows();
  if (n == 0) return Status::OK();
  TM_RETURN_IF_ERROR(FindKeys(batch));
  for (auto& kernel : kernels_) kernel->StartBatch(n);
  AppendRecords(times);
  ProcessFast(times);
  for (const uint32_t row : slow_) ProcessSlow(row, times[row]);
  for (const uint32_t row : slow_) is_slow_[slots_[row]] = 0;
  std::vector<std::shared_ptr<arrow::Array>> columns = batch.rows->columns();
  const size_t first_output = columns.size();
  columns.resize(first_output + spec_.calls.size());
  for (size_t k = 0; k < kernels_.size(); ++k) {
    for (const OverOutput& output : plan_.kernels[k].outputs) {
      TM_ASSIGN_OR_RETURN(columns[first_output + static_cast<size_t>(output.call)], kernels_[k]->Finish(output));
    }
  }
  Trim();
  Sweep(static_cast<size_t>(n) / 4);
  return out.Emit(batch.WithRows(arrow::RecordBatch::Make(output_.arrow(), n, std::move(columns))));
}

}  // namespace tidemill
