#include "exec/temporal_join.h"

#include <algorithm>

#include <arrow/api.h>

#include "exec/event_time.h"
#include "state/words.h"

namespace tidemill {
namespace {

constexpr size_t kSweepSlots = 64;

}  // namespace

Result<std::unique_ptr<TemporalJoin>> TemporalJoin::Make(TemporalJoinSpec spec, const Schema& left, const Schema& right,
                                                         const Schema& output) {
  std::unique_ptr<TemporalJoin> join(new TemporalJoin(std::move(spec), left, right, output));
  for (size_t i = 0; i < join->spec_.right_keys.size(); ++i) {
    const DataType& of_left = left.field(join->spec_.left_keys[i]).type;
    const DataType& of_right = right.field(join->spec_.right_keys[i]).type;
    join->key_types_.push_back(of_right.WithNullable(of_left.nullable() || of_right.nullable()));
  }
  TM_RETURN_IF_ERROR(TimeBuffer::Make(join->VersionOptions()).status());
  return join;
}

// All columns of the right are kept: those of the key too, so that they come out as they came in.
TimeBuffer::Options TemporalJoin::VersionOptions() const {
  TimeBuffer::Options options;
  for (size_t i = 0; i < key_types_.size(); ++i) {
    options.keys.push_back({"key " + right_.field(spec_.right_keys[i]).name, key_types_[i]});
  }
  options.values = right_.fields();
  options.flags = {"deleted version", "earlier versions are gone"};
  return options;
}

Status TemporalJoin::Open(OpenContext& context) {
  rejecter_.Open(context);
  if (spec_.condition) {
    condition_ = std::make_unique<ExpressionEvaluator>(std::vector<ExpressionPtr>{spec_.condition}, *context.clock,
                                                       context.time_zone);
  }
  TM_ASSIGN_OR_RETURN(versions_, TimeBuffer::Make(VersionOptions()));
  TM_RETURN_IF_ERROR(context.state->Register("versions", versions_.get()));
  watermark_ = versions_->trim_bound();
  if (spec_.emit == OverEmit::kOnArrival) return Status::OK();
  TM_ASSIGN_OR_RETURN(pending_, RowBuffer::Make({left_, spec_.left_keys, key_types_}));
  TM_RETURN_IF_ERROR(context.state->Register("pending", pending_.get()));
  watermark_ = std::max(watermark_, pending_->released_until());
  return Status::OK();
}

Status TemporalJoin::ProcessBatch(int input, Batch batch, Collector& out) {
  return input == 0 ? AddLeft(std::move(batch), out) : AddVersions(batch, out);
}

Status TemporalJoin::AddVersions(const Batch& batch, Collector& out) {
  const size_t n = static_cast<size_t>(batch.num_rows());
  const arrow::Array& time_column = *batch.rows->column(spec_.right_time_column);
  std::vector<EventTime> times;
  EventTimesOf(time_column, times);
  std::vector<std::shared_ptr<arrow::Array>> keys;
  for (const int column : spec_.right_keys) keys.push_back(batch.rows->column(column));
  std::vector<uint32_t> slots;
  TM_RETURN_IF_ERROR(versions_->FindOrInsert(keys, batch.num_rows(), slots));
  const size_t width = static_cast<size_t>(versions_->record_words());
  const int null_word = versions_->null_word();
  std::vector<uint64_t> table(n * width, 0);
  std::vector<uint64_t*> records(n);
  for (size_t i = 0; i < n; ++i) records[i] = table.data() + i * width;
  for (int c = 0; c < right_.num_fields(); ++c) {
    const arrow::Array& column = *batch.rows->column(c);
    ScatterWords(column, records.data(), versions_->word_of(c), &versions_->strings());
    if (const uint64_t bit = versions_->null_bit(c)) ScatterNulls(column, records.data(), null_word, bit);
  }
  const int8_t* kinds = batch.row_kinds ? static_cast<const arrow::Int8Array&>(*batch.row_kinds).raw_values() : nullptr;
  for (size_t i = 0; i < n; ++i) {
    const int64_t row = static_cast<int64_t>(i);
    if (kinds && kinds[i] == static_cast<int8_t>(RowKind::kUpdateBefore)) continue;
    if (time_column.IsNull(row)) {
      rejecter_.NullRowtime(out, batch, row, right_.field(spec_.right_time_column).name);
      continue;
    }
    if (kinds && kinds[i] == static_cast<int8_t>(RowKind::kDelete)) records[i][null_word] |= versions_->flag_bit(0);
    uint32_t sequence = 0;
    uint64_t* version = versions_->Insert(slots[i], times[i], &sequence);
    std::copy_n(records[i] + 1, width - 1, version + 1);
    versions_->NoteInserted(slots[i], sequence);
    for (int c = 0; c < right_.num_fields(); ++c) {
      if (WordKindOf(right_.field(c).type) == WordKind::kString)
        versions_->strings().AddReference(version[versions_->word_of(c)]);
    }
  }
  // The references that decoding took; those of the versions are their own.
  for (int c = 0; c < right_.num_fields(); ++c) {
    if (WordKindOf(right_.field(c).type) != WordKind::kString) continue;
    for (size_t i = 0; i < n; ++i) versions_->strings().Release(records[i][versions_->word_of(c)]);
  }
  for (const uint32_t slot : slots) {
    if (versions_->IsLive(slot)) Trim(slot);
  }
  return Status::OK();
}

Status TemporalJoin::AddLeft(Batch batch, Collector& out) {
  const arrow::Array& column = *batch.rows->column(spec_.left_time_column);
  std::vector<EventTime> times;
  EventTimesOf(column, times);
  const bool waits = pending_ != nullptr;
  std::vector<int32_t> kept;
  for (size_t i = 0; i < times.size(); ++i) {
    const int64_t row = static_cast<int64_t>(i);
    if (column.IsNull(row)) {
      rejecter_.NullRowtime(out, batch, row, left_.field(spec_.left_time_column).name);
    } else if (waits && times[i] <= watermark_) {
      rejecter_.Late(out, batch, row, times[i], watermark_);
    } else {
      kept.push_back(static_cast<int32_t>(i));
    }
  }
  if (kept.size() < times.size()) {
    TM_ASSIGN_OR_RETURN(batch, TakeRows(batch, kept));
    for (size_t i = 0; i < kept.size(); ++i) times[i] = times[static_cast<size_t>(kept[i])];
    times.resize(kept.size());
  }
  if (times.empty()) return Status::OK();
  return waits ? pending_->Add(std::move(batch), std::move(times)) : Join(std::move(batch), std::move(times), out);
}

// The version valid at `time`; nullptr when there is none. `too_old`: there was one perhaps, but it is no longer kept.
const uint64_t* TemporalJoin::VersionAt(uint32_t slot, EventTime time, bool* too_old) const {
  const TimeBuffer::Ring& ring = versions_->ring(slot);
  const uint32_t end = versions_->UpperBound(ring, time);
  if (end == ring.front) {
    *too_old =
        ring.size() > 0 && (versions_->record(ring, ring.front)[versions_->null_word()] & versions_->flag_bit(1)) != 0;
    return nullptr;
  }
  const uint64_t* version = versions_->record(ring, end - 1);
  const bool deleted = (version[versions_->null_word()] & versions_->flag_bit(0)) != 0;
  return deleted ? nullptr : version;
}

Result<std::vector<std::shared_ptr<arrow::Array>>> TemporalJoin::RightColumns(
    const std::vector<const uint64_t*>& versions) const {
  std::vector<std::shared_ptr<arrow::Array>> columns;
  for (int c = 0; c < right_.num_fields(); ++c) {
    const uint64_t bit = versions_->null_bit(c);
    TM_ASSIGN_OR_RETURN(auto column, GatherWords(right_.field(c).type, versions, versions_->word_of(c),
                                                 bit ? versions_->null_word() : -1, bit, versions_->strings()));
    columns.push_back(std::move(column));
  }
  return columns;
}

Status TemporalJoin::Confirm(const Batch& joined, std::vector<const uint64_t*>& versions, Collector& out,
                             std::vector<int32_t>& good) {
  std::vector<EvalContext::RowError> errors;
  TM_ASSIGN_OR_RETURN(auto values, condition_->Evaluate(joined, errors));
  // Where nothing was found there is nothing to confirm, so nothing to fail.
  std::erase_if(
      errors, [&](const EvalContext::RowError& error) { return versions[static_cast<size_t>(error.row)] == nullptr; });
  rejecter_.Failed(out, joined, errors, good);
  const auto& holds = static_cast<const arrow::BooleanArray&>(*values[0]);
  for (size_t i = 0; i < versions.size(); ++i) {
    const int64_t row = static_cast<int64_t>(i);
    if (!holds.IsValid(row) || !holds.Value(row)) versions[i] = nullptr;
  }
  return Status::OK();
}

Status TemporalJoin::Join(Batch batch, std::vector<EventTime> times, Collector& out) {
  const size_t n = times.size();
  std::vector<std::shared_ptr<arrow::Array>> keys;
  for (const int column : spec_.left_keys) keys.push_back(batch.rows->column(column));
  std::vector<uint32_t> slots;
  TM_RETURN_IF_ERROR(versions_->Find(keys, batch.num_rows(), slots));
  std::vector<const uint64_t*> versions(n, nullptr);
  std::vector<int32_t> good;
  for (size_t i = 0; i < n; ++i) {
    if (i + 8 < n && slots[i + 8] != kNoSlot) __builtin_prefetch(versions_->ring(slots[i + 8]).base);
    const int64_t row = static_cast<int64_t>(i);
    const bool null_key = std::any_of(keys.begin(), keys.end(), [row](const auto& key) { return key->IsNull(row); });
    bool too_old = false;
    if (slots[i] != kNoSlot && !null_key) versions[i] = VersionAt(slots[i], times[i], &too_old);
    if (too_old) {
      rejecter_.Late(out, batch, row, times[i], watermark_);
      continue;
    }
    if (versions[i] != nullptr || spec_.left_outer) good.push_back(static_cast<int32_t>(i));
  }
  // Narrows the rows to `good`, and `versions` with them.
  const auto narrow = [&]() -> Status {
    if (good.size() == versions.size()) return Status::OK();
    for (size_t i = 0; i < good.size(); ++i) versions[i] = versions[static_cast<size_t>(good[i])];
    versions.resize(good.size());
    TM_ASSIGN_OR_RETURN(batch, TakeRows(batch, good));
    return Status::OK();
  };
  TM_RETURN_IF_ERROR(narrow());
  const auto joined = [&]() -> Result<Batch> {
    std::vector<std::shared_ptr<arrow::Array>> columns = batch.rows->columns();
    TM_ASSIGN_OR_RETURN(auto right, RightColumns(versions));
    columns.insert(columns.end(), right.begin(), right.end());
    return batch.WithRows(arrow::RecordBatch::Make(output_.arrow(), batch.num_rows(), std::move(columns)));
  };
  if (versions.empty()) return Status::OK();
  TM_ASSIGN_OR_RETURN(Batch result, joined());
  if (condition_) {
    good.clear();
    TM_RETURN_IF_ERROR(Confirm(result, versions, out, good));
    if (!spec_.left_outer)
      std::erase_if(good, [&](int32_t row) { return versions[static_cast<size_t>(row)] == nullptr; });
    TM_RETURN_IF_ERROR(narrow());
    if (versions.empty()) return Status::OK();
    TM_ASSIGN_OR_RETURN(result, joined());
  }
  return out.Emit(std::move(result));
}

// Lets go of versions that no left row to come can ask for.
void TemporalJoin::Trim(uint32_t slot) {
  const TimeBuffer::Ring& ring = versions_->ring(slot);
  if (ring.size() == 0) return versions_->EraseKey(slot);
  if (versions_->time(ring, ring.front) > watermark_) return;
  const uint32_t newest = versions_->UpperBound(ring, watermark_) - 1;
  if (newest != ring.front) {
    versions_->TrimTo(slot, newest);
    versions_->record(ring, newest)[versions_->null_word()] |= versions_->flag_bit(1);
  }
  // A deletion that is not saved yet stays: without it a restore would bring the key back.
  const bool saved = ring.clean == ring.back;
  const bool deleted = (versions_->record(ring, newest)[versions_->null_word()] & versions_->flag_bit(0)) != 0;
  if (ring.size() == 1 && saved && deleted) versions_->EraseKey(slot);
}

Status TemporalJoin::OnWatermark(EventTime watermark, Collector& out) {
  if (watermark <= watermark_) return Status::OK();
  if (pending_) {
    std::vector<RowBuffer::Released> released;
    TM_RETURN_IF_ERROR(pending_->TakeUntil(watermark, released));
    for (RowBuffer::Released& rows : released)
      TM_RETURN_IF_ERROR(Join(std::move(rows.batch), std::move(rows.times), out));
  }
  watermark_ = watermark;
  versions_->set_trim_bound(watermark);
  const uint32_t limit = versions_->slot_limit();
  for (size_t i = 0; i < std::min<size_t>(kSweepSlots, limit); ++i) {
    if (sweep_cursor_ >= limit) sweep_cursor_ = 0;
    if (versions_->IsLive(sweep_cursor_)) Trim(sweep_cursor_);
    ++sweep_cursor_;
  }
  return Status::OK();
}

}  // namespace tidemill
