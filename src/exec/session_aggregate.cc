#include "exec/session_aggregate.h"

#include <algorithm>

#include <arrow/api.h>

#include "exec/event_time.h"
#include "exec/internal/over_column.h"
#include "exec/window_columns.h"
#include "function/internal/zone.h"

namespace tidemill {
namespace {

constexpr char kNumber[] = "session";

}  // namespace

// First and last event time, then the accumulators.
class SessionAggregate::Values final : public SlotValues {
 public:
  explicit Values(const std::vector<AggregateCall>& calls) : aggregates(calls) {
    std::vector<Field> fields{{"first", DataType(TypeKind::kBigInt, false)},
                              {"last", DataType(TypeKind::kBigInt, false)}};
    bounds_schema_ = Schema(fields);
    fields.insert(fields.end(), aggregates.schema().fields().begin(), aggregates.schema().fields().end());
    schema_ = Schema(std::move(fields));
  }
  const Schema& schema() const override { return schema_; }
  void Resize(int64_t slots) override {
    bounds.resize(static_cast<size_t>(slots));
    aggregates.Resize(slots);
  }
  void Clear(std::span<const uint32_t> slots) override { aggregates.Clear(slots); }
  Result<std::vector<std::shared_ptr<arrow::Array>>> Export(std::span<const uint32_t> slots) const override {
    TM_ASSIGN_OR_RETURN(auto columns, ExportStates(bounds_schema_, slots, [this](uint32_t slot, uint64_t* words) {
                          words[0] = static_cast<uint64_t>(bounds[slot].first);
                          words[1] = static_cast<uint64_t>(bounds[slot].second);
                        }));
    TM_ASSIGN_OR_RETURN(auto rest, aggregates.Export(slots));
    columns.insert(columns.end(), rest.begin(), rest.end());
    return columns;
  }
  Status Import(std::span<const uint32_t> slots, std::span<const std::shared_ptr<arrow::Array>> columns) override {
    ImportStates(slots, columns.first(2), [this](uint32_t slot, const uint64_t* words) {
      bounds[slot] = {static_cast<EventTime>(words[0]), static_cast<EventTime>(words[1])};
    });
    return aggregates.Import(slots, columns.subspan(2));
  }
  int64_t MemoryBytes() const override {
    return aggregates.MemoryBytes() + static_cast<int64_t>(bounds.capacity() * 16);
  }

  AggregateState aggregates;
  std::vector<std::pair<EventTime, EventTime>> bounds;  // by slot

 private:
  Schema bounds_schema_;
  Schema schema_;
};

SessionAggregate::SessionAggregate(WindowAggregateSpec spec, Schema input, Schema output)
    : spec_(std::move(spec)),
      input_(std::move(input)),
      output_(std::move(output)),
      values_(std::make_unique<Values>(spec_.calls)) {}

SessionAggregate::~SessionAggregate() = default;

Result<std::unique_ptr<SessionAggregate>> SessionAggregate::Make(WindowAggregateSpec spec, const Schema& input,
                                                                 const Schema& output) {
  std::unique_ptr<SessionAggregate> session(new SessionAggregate(std::move(spec), input, output));
  if (!session->spec_.window.time_zone.empty()) {
    TM_ASSIGN_OR_RETURN(ZoneOffsets zone, ZoneOffsets::Make(session->spec_.window.time_zone));
    session->zone_ = std::make_unique<ZoneOffsets>(std::move(zone));
  }
  return session;
}

Status SessionAggregate::Open(OpenContext& context) {
  rejecter_.Open(context);
  values_->aggregates.Open(context);
  KeyedTable::Options options;
  for (const int key : spec_.keys) options.keys.push_back(input_.field(key));
  TM_ASSIGN_OR_RETURN(KeyColumns keys, KeyColumns::Make(options.keys));
  key_columns_ = std::make_unique<KeyColumns>(std::move(keys));
  options.group_columns = static_cast<int>(options.keys.size());
  options.keys.push_back({kNumber, DataType(TypeKind::kBigInt, false)});
  TM_ASSIGN_OR_RETURN(table_, KeyedTable::Make(std::move(options), values_.get()));
  TM_RETURN_IF_ERROR(context.state->Register("sessions", table_.get()));
  TM_RETURN_IF_ERROR(context.state->Register("watermark", &watermark_));
  return RestoreSessions();
}

Status SessionAggregate::RestoreSessions() {
  std::vector<uint32_t> slots;
  for (uint32_t slot = 0; slot < table_->index().slot_limit(); ++slot) {
    if (table_->index().IsLive(slot)) slots.push_back(slot);
  }
  if (slots.empty()) return Status::OK();
  std::sort(slots.begin(), slots.end(),
            [&](uint32_t a, uint32_t b) { return values_->bounds[a] < values_->bounds[b]; });
  TM_ASSIGN_OR_RETURN(auto columns, table_->DecodeKeys(slots));
  const auto& numbers = static_cast<const arrow::Int64Array&>(*columns.back());
  for (int64_t i = 0; i < numbers.length(); ++i) next_number_ = std::max(next_number_, numbers.Value(i) + 1);
  columns.pop_back();
  TM_ASSIGN_OR_RETURN(EncodedKeys encoded, key_columns_->Encode(columns, static_cast<int64_t>(slots.size())));
  std::vector<uint32_t> keys(slots.size());
  keys_.FindOrInsert(encoded, keys.data());
  open_.resize(keys_.slot_limit());
  for (size_t i = 0; i < slots.size(); ++i) {
    const uint32_t session = NewSession(keys[i], values_->bounds[slots[i]].first, 0);
    sessions_[session].last = values_->bounds[slots[i]].second;
    sessions_[session].slot = slots[i];
    open_[keys[i]].push_back(session);
  }
  touched_.clear();
  return Status::OK();
}

EventTime SessionAggregate::DueOf(const Session& session) const {
  return SaturatingAdd(session.last, spec_.window.size_ms - 1);
}

uint32_t SessionAggregate::NewSession(uint32_t key, EventTime time, uint32_t row) {
  uint32_t at = static_cast<uint32_t>(sessions_.size());
  if (free_.empty()) {
    sessions_.emplace_back();
  } else {
    at = free_.back();
    free_.pop_back();
  }
  const uint32_t generation = sessions_[at].generation;
  sessions_[at] = Session{.first = time, .last = time, .key = key, .row = row, .generation = generation};
  timers_.push({DueOf(sessions_[at]), at, generation});
  touched_.push_back(at);
  return at;
}

void SessionAggregate::FreeSession(uint32_t session) {
  ++sessions_[session].generation;
  free_.push_back(session);
}

void SessionAggregate::Join(uint32_t into, uint32_t from) {
  Session& target = sessions_[into];
  target.first = std::min(target.first, sessions_[from].first);
  target.last = std::max(target.last, sessions_[from].last);
  sessions_[from].joined = into;
  touched_.push_back(from);
}

uint32_t SessionAggregate::Place(uint32_t key, EventTime time, uint32_t row) {
  std::vector<uint32_t>& open = open_[key];
  const int64_t gap = spec_.window.size_ms;
  // Sessions do not overlap, so those that touch the row stand together.
  size_t first = 0;
  while (first < open.size() && SaturatingAdd(sessions_[open[first]].last, gap) < time) ++first;
  size_t end = first;
  while (end < open.size() && sessions_[open[end]].first <= SaturatingAdd(time, gap)) ++end;
  if (first == end) {
    if (SaturatingAdd(time, gap - 1) <= watermark_.value) return kNone;
    const uint32_t session = NewSession(key, time, row);
    open.insert(open.begin() + static_cast<int64_t>(first), session);
    return session;
  }
  const uint32_t session = open[first];
  for (size_t i = first + 1; i < end; ++i) Join(session, open[i]);
  open.erase(open.begin() + static_cast<int64_t>(first) + 1, open.begin() + static_cast<int64_t>(end));
  sessions_[session].first = std::min(sessions_[session].first, time);
  sessions_[session].last = std::max(sessions_[session].last, time);
  return session;
}

Status SessionAggregate::Prepare(Batch& batch, std::vector<EventTime>& times, Collector& out) {
  const int time_column = spec_.window.time_column;
  if (batch.rows->column(time_column)->null_count() > 0) {
    std::vector<int32_t> kept;
    for (int64_t i = 0; i < batch.num_rows(); ++i) {
      if (batch.rows->column(time_column)->IsValid(i)) {
        kept.push_back(static_cast<int32_t>(i));
      } else {
        rejecter_.NullRowtime(out, batch, i, input_.field(time_column).name);
      }
    }
    TM_ASSIGN_OR_RETURN(batch, TakeRows(batch, kept));
  }
  EventTimesOf(*batch.rows->column(time_column), times);
  return Status::OK();
}

Status SessionAggregate::ProcessBatch(int, Batch batch, Collector& out) {
  std::vector<EventTime> times;
  TM_RETURN_IF_ERROR(Prepare(batch, times, out));
  std::vector<int32_t> kept;
  TM_ASSIGN_OR_RETURN(auto arguments, values_->aggregates.Evaluate(batch, rejecter_, out, kept));
  if (!kept.empty()) EventTimesOf(*batch.rows->column(spec_.window.time_column), times);
  const size_t n = static_cast<size_t>(batch.num_rows());
  if (n == 0) return Status::OK();
  std::vector<std::shared_ptr<arrow::Array>> keys;
  for (const int key : spec_.keys) keys.push_back(batch.rows->column(key));
  TM_ASSIGN_OR_RETURN(EncodedKeys encoded, key_columns_->Encode(keys, batch.num_rows()));
  std::vector<uint32_t> key_numbers(n);
  keys_.FindOrInsert(encoded, key_numbers.data());
  if (open_.size() < keys_.slot_limit()) open_.resize(keys_.slot_limit());
  std::vector<uint32_t> sessions;
  std::vector<int32_t> rows;
  for (size_t i = 0; i < n; ++i) {
    const uint32_t session = Place(key_numbers[i], times[i], static_cast<uint32_t>(i));
    if (session == kNone) {
      rejecter_.Late(out, batch, static_cast<int64_t>(i), times[i], watermark_.value);
      continue;
    }
    sessions.push_back(session);
    rows.push_back(static_cast<int32_t>(i));
  }
  // A row's session may have joined another one after the row was placed.
  for (uint32_t& session : sessions) {
    while (sessions_[session].joined != kNone) session = sessions_[session].joined;
  }
  TM_RETURN_IF_ERROR(Settle(batch));
  if (rows.size() < n) {
    // Keys whose rows were all late are not kept.
    for (const uint32_t key : key_numbers) {
      if (keys_.IsLive(key) && open_[key].empty()) keys_.Erase(key);
    }
  }
  std::vector<uint32_t> slots;
  for (const uint32_t session : sessions) {
    slots.push_back(sessions_[session].slot);
    values_->bounds[slots.back()] = {sessions_[session].first, sessions_[session].last};
  }
  table_->MarkChanged(slots);
  if (rows.size() == n) return values_->aggregates.Update(slots, arguments);
  return values_->aggregates.UpdateRows(slots, rows, arguments);
}

Status SessionAggregate::Settle(const Batch& batch) {
  // A session that is new takes the slot of one that has joined it, else gets one.
  std::vector<uint32_t> joined_slots, into;
  for (const uint32_t session : touched_) {
    if (sessions_[session].joined == kNone || sessions_[session].slot == kNoSlot) continue;
    uint32_t root = sessions_[session].joined;
    while (sessions_[root].joined != kNone) root = sessions_[root].joined;
    if (sessions_[root].slot == kNoSlot) {
      sessions_[root].slot = sessions_[session].slot;
    } else {
      joined_slots.push_back(sessions_[session].slot);
      into.push_back(sessions_[root].slot);
    }
  }
  std::vector<uint32_t> fresh;
  std::vector<int32_t> rows;
  std::vector<int64_t> numbers;
  for (const uint32_t session : touched_) {
    if (sessions_[session].joined != kNone || sessions_[session].slot != kNoSlot) continue;
    fresh.push_back(session);
    rows.push_back(static_cast<int32_t>(sessions_[session].row));
    numbers.push_back(next_number_++);
  }
  if (!fresh.empty()) {
    TM_ASSIGN_OR_RETURN(Batch taken, TakeRows(batch, rows));
    std::vector<std::shared_ptr<arrow::Array>> keys;
    for (const int key : spec_.keys) keys.push_back(taken.rows->column(key));
    keys.push_back(
        std::make_shared<arrow::Int64Array>(taken.num_rows(), arrow::Buffer::FromVector(std::move(numbers))));
    std::vector<uint32_t> slots;
    TM_RETURN_IF_ERROR(table_->Upsert(keys, static_cast<int64_t>(fresh.size()), slots));
    for (size_t i = 0; i < fresh.size(); ++i) sessions_[fresh[i]].slot = slots[i];
  }
  if (!into.empty()) {
    TM_RETURN_IF_ERROR(values_->aggregates.Merge(into, values_->aggregates, joined_slots));
    table_->Erase(joined_slots);
  }
  for (const uint32_t session : touched_) {
    // One that is new and has joined another at once stands here twice.
    if (std::exchange(sessions_[session].joined, kNone) != kNone) FreeSession(session);
  }
  touched_.clear();
  return Status::OK();
}

Status SessionAggregate::OnWatermark(EventTime watermark, Collector& out) {
  if (watermark <= watermark_.value) return Status::OK();
  std::vector<uint32_t> fired;
  while (!timers_.empty() && timers_.top().due <= watermark) {
    const Timer timer = timers_.top();
    timers_.pop();
    const Session& session = sessions_[timer.session];
    if (session.generation != timer.generation) continue;
    const EventTime due = DueOf(session);
    if (due > timer.due) {
      timers_.push({due, timer.session, timer.generation});
    } else {
      fired.push_back(timer.session);
    }
  }
  watermark_.value = watermark;
  return fired.empty() ? Status::OK() : Emit(fired, out);
}

Status SessionAggregate::Emit(const std::vector<uint32_t>& fired, Collector& out) {
  for (size_t base = 0; base < fired.size(); base += kBatchRowsMax) {
    const auto part = std::span(fired).subspan(base, std::min<size_t>(kBatchRowsMax, fired.size() - base));
    std::vector<uint32_t> slots;
    std::vector<WindowBounds> windows;
    for (const uint32_t number : part) {
      const Session& session = sessions_[number];
      slots.push_back(session.slot);
      const EventTime end = SaturatingAdd(session.last, spec_.window.size_ms);
      windows.push_back(
          {zone_ ? zone_->ToLocalMs(session.first) : session.first, zone_ ? zone_->ToLocalMs(end) : end, end - 1});
    }
    TM_ASSIGN_OR_RETURN(auto columns, table_->DecodeKeys(slots));
    columns.pop_back();
    TM_ASSIGN_OR_RETURN(auto results, values_->aggregates.Finish(slots));
    columns.insert(columns.end(), results.begin(), results.end());
    AppendWindowColumns(output_, windows, columns);
    TM_RETURN_IF_ERROR(out.Emit(
        Batch{arrow::RecordBatch::Make(output_.arrow(), static_cast<int64_t>(slots.size()), std::move(columns)),
              nullptr, 0}));
    table_->Erase(slots);
    for (const uint32_t number : part) {
      const uint32_t key = sessions_[number].key;
      std::erase(open_[key], number);
      if (open_[key].empty()) keys_.Erase(key);
      FreeSession(number);
    }
  }
  return Status::OK();
}

}  // namespace tidemill
