#include "exec/window_aggregate.h"

#include <algorithm>
#include <numeric>

#include <arrow/api.h>

#include "exec/event_time.h"
#include "exec/window_columns.h"

namespace tidemill {
namespace {

constexpr char kSliceEnd[] = "slice_end";

std::shared_ptr<arrow::Array> SliceEnds(const WindowGrid& grid, const std::vector<int64_t>& slices) {
  auto buffer = arrow::AllocateBuffer(static_cast<int64_t>(slices.size() * 8));
  TM_CHECK(buffer.ok());
  auto* ends = reinterpret_cast<int64_t*>((*buffer)->mutable_data());
  for (size_t i = 0; i < slices.size(); ++i) ends[i] = grid.SliceEnd(slices[i]);
  return std::make_shared<arrow::Int64Array>(static_cast<int64_t>(slices.size()),
                                             std::shared_ptr<arrow::Buffer>(*std::move(buffer)));
}

}  // namespace

WindowAggregate::WindowAggregate(WindowAggregateSpec spec, Schema input, Schema output,
                                 std::unique_ptr<WindowGrid> grid)
    : spec_(std::move(spec)),
      input_(std::move(input)),
      output_(std::move(output)),
      grid_(std::move(grid)),
      state_(spec_.calls) {}

Result<std::unique_ptr<WindowAggregate>> WindowAggregate::Make(WindowAggregateSpec spec, const Schema& input,
                                                               const Schema& output) {
  TM_ASSIGN_OR_RETURN(auto grid, WindowGrid::Make(spec.window));
  return std::unique_ptr<WindowAggregate>(new WindowAggregate(std::move(spec), input, output, std::move(grid)));
}

Status WindowAggregate::Open(OpenContext& context) {
  rejecter_.Open(context);
  state_.Open(context);
  KeyedTable::Options options;
  for (const int key : spec_.keys) options.keys.push_back(input_.field(key));
  if (spec_.window.kind == WindowKind::kHop) {
    TM_ASSIGN_OR_RETURN(KeyColumns keys, KeyColumns::Make(options.keys));
    group_keys_ = std::move(keys);
    merged_ = state_.NewEmpty();
  }
  options.group_columns = static_cast<int>(options.keys.size());
  options.keys.push_back({kSliceEnd, DataType(TypeKind::kBigInt, false)});
  TM_ASSIGN_OR_RETURN(table_, KeyedTable::Make(std::move(options), &state_));
  TM_RETURN_IF_ERROR(context.state->Register("slices", table_.get()));
  TM_RETURN_IF_ERROR(context.state->Register("watermark", &watermark_));
  return RestoreSlices();
}

Status WindowAggregate::RestoreSlices() {
  std::vector<uint32_t> slots;
  for (uint32_t slot = 0; slot < table_->index().slot_limit(); ++slot) {
    if (table_->index().IsLive(slot)) slots.push_back(slot);
  }
  if (slots.empty()) return Status::OK();
  TM_ASSIGN_OR_RETURN(auto keys, table_->DecodeKeys(slots));
  const auto& ends = static_cast<const arrow::Int64Array&>(*keys.back());
  std::vector<int64_t> slices;
  for (int64_t i = 0; i < ends.length(); ++i) slices.push_back(grid_->SliceOfLocal(ends.Value(i) - 1));
  keys.pop_back();
  std::vector<uint32_t> all(slots.size());
  std::iota(all.begin(), all.end(), 0);
  return AddToSlices(keys, slices, slots, all);
}

Status WindowAggregate::AddToSlices(const std::vector<std::shared_ptr<arrow::Array>>& keys,
                                    const std::vector<int64_t>& slices, const std::vector<uint32_t>& slots,
                                    const std::vector<uint32_t>& new_rows) {
  std::vector<uint32_t>* slice = nullptr;
  int64_t number = 0;
  for (const uint32_t row : new_rows) {
    if (slice == nullptr || number != slices[row]) {
      number = slices[row];
      const auto [at, inserted] = slices_.try_emplace(number);
      slice = &at->second;
      if (inserted) Schedule(number);
    }
    slice->push_back(slots[row]);
  }
  if (!group_keys_ || new_rows.empty()) return Status::OK();
  // The keys of the new slots, to know which slots have the same.
  std::vector<std::shared_ptr<arrow::Array>> new_keys = keys;
  if (new_rows.size() < slots.size() && !keys.empty()) {
    arrow::FieldVector fields;
    for (const auto& key : keys) fields.push_back(arrow::field("", key->type()));
    const Batch all{
        arrow::RecordBatch::Make(arrow::schema(std::move(fields)), static_cast<int64_t>(slots.size()), keys), nullptr,
        0};
    TM_ASSIGN_OR_RETURN(Batch taken, TakeRows(all, std::vector<int32_t>(new_rows.begin(), new_rows.end())));
    new_keys = taken.rows->columns();
  }
  TM_ASSIGN_OR_RETURN(EncodedKeys encoded, group_keys_->Encode(new_keys, static_cast<int64_t>(new_rows.size())));
  std::vector<uint32_t> groups(new_rows.size());
  groups_.FindOrInsert(encoded, groups.data());
  slots_of_group_.resize(std::max<size_t>(slots_of_group_.size(), groups_.slot_limit()), 0);
  for (size_t i = 0; i < new_rows.size(); ++i) {
    const uint32_t slot = slots[new_rows[i]];
    if (slot >= group_of_slot_.size()) group_of_slot_.resize(slot + slot / 2 + 64);
    group_of_slot_[slot] = groups[i];
    ++slots_of_group_[groups[i]];
  }
  return Status::OK();
}

void WindowAggregate::Schedule(int64_t slice) {
  int64_t window = grid_->FirstWindow(slice);
  if (watermark_.value != kMinEventTime && watermark_.value != kMaxEventTime) {
    // Windows before the watermark's have fired; two hours are room for the clock's jumps.
    const int64_t passed = grid_->SliceOfLocal(grid_->ToLocal(watermark_.value) - 7'200'000);
    window = std::max(window, grid_->FirstWindow(passed));
    while (grid_->FireTime(window) <= watermark_.value) window = grid_->NextWindow(window);
  }
  if (window >= next_window_) return;
  next_window_ = window;
  next_fire_ = grid_->FireTime(window);
}

Status WindowAggregate::AssignSlices(Batch& batch, std::vector<int64_t>& slices, Collector& out) {
  const arrow::Array& column = *batch.rows->column(spec_.window.time_column);
  std::vector<EventTime> times;
  EventTimesOf(column, times);
  const bool has_nulls = column.null_count() > 0;
  std::vector<int32_t> kept;
  slices.resize(times.size());
  // Rows come in runs of one slice: look again only when a row leaves it.
  int64_t slice = 0;
  int64_t from = 0;
  int64_t until = 0;
  enum class Fate : uint8_t { kCounts, kLate, kNowhere } fate = Fate::kCounts;
  bool all = true;
  for (size_t i = 0; i < times.size(); ++i) {
    const int64_t row = static_cast<int64_t>(i);
    if (has_nulls && column.IsNull(row)) {
      rejecter_.NullRowtime(out, batch, row, input_.field(spec_.window.time_column).name);
      if (std::exchange(all, false)) {
        kept.resize(i);
        std::iota(kept.begin(), kept.end(), 0);
      }
      continue;
    }
    const int64_t local = grid_->ToLocal(times[i]);
    if (local < from || local >= until) {
      slice = grid_->SliceOfLocal(local);
      from = grid_->SliceStart(slice);
      until = grid_->SliceEnd(slice);
      const int64_t last = grid_->LastWindow(slice);
      fate = grid_->FirstWindow(slice) > last            ? Fate::kNowhere
             : grid_->FireTime(last) <= watermark_.value ? Fate::kLate
                                                         : Fate::kCounts;
    }
    if (fate == Fate::kCounts) [[likely]] {
      if (!all) kept.push_back(static_cast<int32_t>(i));
      slices[i] = slice;
      continue;
    }
    if (fate == Fate::kLate) rejecter_.Late(out, batch, row, times[i], watermark_.value);
    if (std::exchange(all, false)) {
      kept.resize(i);
      std::iota(kept.begin(), kept.end(), 0);
    }
  }
  if (all) return Status::OK();
  for (size_t i = 0; i < kept.size(); ++i) slices[i] = slices[static_cast<size_t>(kept[i])];
  slices.resize(kept.size());
  TM_ASSIGN_OR_RETURN(batch, TakeRows(batch, kept));
  return Status::OK();
}

Status WindowAggregate::FindSlots(std::vector<std::shared_ptr<arrow::Array>> keys, const std::vector<int64_t>& slices,
                                  std::vector<uint32_t>& slots) {
  keys.push_back(SliceEnds(*grid_, slices));
  std::vector<uint32_t> new_rows;
  TM_RETURN_IF_ERROR(table_->Upsert(keys, static_cast<int64_t>(slices.size()), slots, &new_rows));
  if (new_rows.empty()) return Status::OK();
  keys.pop_back();
  return AddToSlices(keys, slices, slots, new_rows);
}

Status WindowAggregate::ProcessBatch(int, Batch batch, Collector& out) {
  std::vector<int64_t> slices;
  TM_RETURN_IF_ERROR(AssignSlices(batch, slices, out));
  if (slices.empty()) return Status::OK();
  std::vector<int32_t> kept;
  TM_ASSIGN_OR_RETURN(auto arguments, state_.Evaluate(batch, rejecter_, out, kept));
  if (batch.num_rows() < static_cast<int64_t>(slices.size())) {
    for (size_t i = 0; i < kept.size(); ++i) slices[i] = slices[static_cast<size_t>(kept[i])];
    slices.resize(kept.size());
    if (slices.empty()) return Status::OK();
  }
  std::vector<std::shared_ptr<arrow::Array>> keys;
  for (const int key : spec_.keys) keys.push_back(batch.rows->column(key));
  std::vector<uint32_t> slots;
  TM_RETURN_IF_ERROR(FindSlots(std::move(keys), slices, slots));
  return state_.Update(slots, arguments);
}

Status WindowAggregate::OnWatermark(EventTime watermark, Collector& out) {
  if (watermark <= watermark_.value) return Status::OK();
  while (next_window_ != kNoWindow && next_fire_ <= watermark) {
    const int64_t window = next_window_;
    TM_RETURN_IF_ERROR(Fire(window, out));
    TM_RETURN_IF_ERROR(DropSlices(window));
    next_window_ = kNoWindow;
    next_fire_ = kMaxEventTime;
    if (slices_.empty()) break;
    next_window_ = std::max(grid_->FirstWindow(slices_.begin()->first), grid_->NextWindow(window));
    next_fire_ = grid_->FireTime(next_window_);
  }
  watermark_.value = watermark;
  return Status::OK();
}

Status WindowAggregate::Fire(int64_t window, Collector& out) {
  if (spec_.window.kind == WindowKind::kHop) {
    std::vector<uint32_t> representatives;
    TM_RETURN_IF_ERROR(MergeHop(window, representatives));
    std::vector<uint32_t> merged(representatives.size());
    std::iota(merged.begin(), merged.end(), 0);
    return Emit(window, representatives, *merged_, merged, out);
  }
  if (spec_.window.kind == WindowKind::kCumulate) TM_RETURN_IF_ERROR(FoldCumulate(window));
  const auto slice = slices_.find(grid_->FirstSlice(window));
  if (slice == slices_.end()) return Status::OK();
  return Emit(window, slice->second, state_, slice->second, out);
}

// merged_ slot m := all slices of the window for one key; representatives[m]: a slot with that key.
Status WindowAggregate::MergeHop(int64_t window, std::vector<uint32_t>& representatives) {
  merged_of_group_.assign(groups_.slot_limit(), kNoSlot);
  std::vector<uint32_t> targets, sources;
  for (auto slice = slices_.lower_bound(grid_->FirstSlice(window)); slice != slices_.end() && slice->first <= window;
       ++slice) {
    for (const uint32_t slot : slice->second) {
      uint32_t& merged = merged_of_group_[group_of_slot_[slot]];
      if (merged == kNoSlot) {
        merged = static_cast<uint32_t>(representatives.size());
        representatives.push_back(slot);
      }
      targets.push_back(merged);
      sources.push_back(slot);
    }
  }
  std::vector<uint32_t> all(representatives.size());
  std::iota(all.begin(), all.end(), 0);
  merged_->Resize(static_cast<int64_t>(std::max<size_t>(all.size(), 1)));
  merged_->Clear(all);
  return merged_->Merge(targets, state_, sources);
}

// The window's slices join the first one of their period.
Status WindowAggregate::FoldCumulate(int64_t window) {
  const int64_t first = grid_->FirstSlice(window);
  for (auto slice = slices_.upper_bound(first); slice != slices_.end() && slice->first <= window;) {
    const std::vector<uint32_t> slots = std::move(slice->second);
    slice = slices_.erase(slice);
    TM_ASSIGN_OR_RETURN(auto keys, table_->DecodeKeys(slots));
    keys.pop_back();
    std::vector<uint32_t> targets;
    TM_RETURN_IF_ERROR(FindSlots(std::move(keys), std::vector<int64_t>(slots.size(), first), targets));
    TM_RETURN_IF_ERROR(state_.Merge(targets, state_, slots));
    table_->Erase(slots);
  }
  return Status::OK();
}

Status WindowAggregate::Emit(int64_t window, const std::vector<uint32_t>& key_slots, const AggregateState& state,
                             const std::vector<uint32_t>& slots, Collector& out) {
  const WindowBounds bounds{grid_->WindowStart(window), grid_->WindowEnd(window), grid_->FireTime(window)};
  for (size_t base = 0; base < slots.size(); base += kBatchRowsMax) {
    const size_t n = std::min<size_t>(kBatchRowsMax, slots.size() - base);
    TM_ASSIGN_OR_RETURN(auto columns, table_->DecodeKeys(std::span(key_slots).subspan(base, n)));
    columns.pop_back();
    TM_ASSIGN_OR_RETURN(auto results, state.Finish(std::span(slots).subspan(base, n)));
    columns.insert(columns.end(), results.begin(), results.end());
    AppendWindowColumns(output_, std::vector<WindowBounds>(n, bounds), columns);
    TM_RETURN_IF_ERROR(out.Emit(
        Batch{arrow::RecordBatch::Make(output_.arrow(), static_cast<int64_t>(n), std::move(columns)), nullptr, 0}));
  }
  return Status::OK();
}

Status WindowAggregate::DropSlices(int64_t fired_window) {
  while (!slices_.empty() && grid_->LastWindow(slices_.begin()->first) <= fired_window) {
    Erase(slices_.begin()->second);
    slices_.erase(slices_.begin());
  }
  return Status::OK();
}

void WindowAggregate::Erase(const std::vector<uint32_t>& slots) {
  if (group_keys_) {
    for (const uint32_t slot : slots) {
      const uint32_t group = group_of_slot_[slot];
      if (--slots_of_group_[group] == 0) groups_.Erase(group);
    }
  }
  table_->Erase(slots);
}

}  // namespace tidemill
