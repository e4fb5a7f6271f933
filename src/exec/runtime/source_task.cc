#include "exec/runtime/source_task.h"

#include <algorithm>

namespace tidemill {
namespace {

constexpr int kManySplits = 8;
constexpr int kFirstReadRows = 512;  // of each of many splits: all must be begun before the first may go on

}  // namespace

SourceTask::SourceTask(SourceTaskOptions options, std::unique_ptr<RowTimer> timer, std::unique_ptr<RejectSink> rejects,
                       const Clock& clock, Counter* rows_out)
    : options_(options), timer_(std::move(timer)), rejects_(std::move(rejects)), clock_(clock), rows_out_(rows_out) {}

Status SourceTask::AddSplit(Source& source, const SourceSplit& split, const SplitPosition* restored,
                            SplitContext context, const std::shared_ptr<LaneSignal>& signal) {
  auto added = std::make_unique<Split>();
  added->split = split;
  added->wake = std::make_shared<WakeFlag>(signal);
  if (restored != nullptr) {
    added->read_from = added->read_to = restored->position;
    added->skip = restored->skip_rows;
    added->watermark = restored->watermark;
    added->read_ended = restored->ended;
  }
  if (!added->read_ended) {
    context.rejects = rejects_.get();
    context.wake = WakeFlag::Callback(added->wake);
    rejects_->SetWake(context.wake);
    Labels& labels = context.labels;
    if (!split.topic.empty()) {
      std::erase_if(labels, [](const auto& label) { return label.first == "topic"; });
      labels.emplace_back("topic", split.topic);
    }
    labels.emplace_back("partition", split.topic.empty() ? split.id : std::to_string(split.partition));
    added->lag_gauge =
        context.metrics->GetGauge("tidemill_source_lag_records", "Rows that are there and not read yet.", labels);
    TM_ASSIGN_OR_RETURN(added->reader, source.OpenSplit(split, added->read_to, std::move(context)));
    if (!added->read_to.has_value()) added->read_from = added->read_to = added->reader->StartPosition();
  }
  splits_.push_back(std::move(added));
  return Status::OK();
}

void SourceTask::FollowSource(Source& source, size_t known, int index, int parallelism,
                              std::function<SplitContext()> context, const std::shared_ptr<LaneSignal>& signal) {
  following_ = {&source, known, 0, index, parallelism, std::move(context), signal, std::make_shared<WakeFlag>(signal)};
  source.OnLaterSplits(WakeFlag::Callback(following_.found));
}

Status SourceTask::AddLaterSplits() {
  const std::vector<SourceSplit> later = following_.source->LaterSplits(following_.seen);
  const int64_t now = clock_.MonotonicNanos();
  for (const SourceSplit& split : later) {
    const size_t number = following_.known + following_.seen++;
    if (static_cast<int>(number % static_cast<size_t>(following_.parallelism)) != following_.index) continue;
    TM_RETURN_IF_ERROR(AddSplit(*following_.source, split, nullptr, following_.context(), following_.signal));
    splits_.back()->waiting_since_ns = now;
  }
  return Status::OK();
}

bool SourceTask::ended() const {
  if (following_.source != nullptr) return false;  // splits may come out of those that have ended
  if (splits_.empty()) return options_.bounded;
  return std::all_of(splits_.begin(), splits_.end(), [](const auto& split) { return split->ended(); });
}

bool SourceTask::HasWork() const {
  if (following_.found != nullptr && following_.found->IsSet()) return true;
  return rejects_->HasRoom() && Choose() >= 0;
}

int SourceTask::Choose() const {
  int best = -1;
  for (size_t i = 0; i < splits_.size(); ++i) {
    const size_t at = options_.ordered ? i : (last_ + 1 + i) % splits_.size();
    const Split& split = *splits_[at];
    if (split.ended() || (!options_.ordered && !split.CanStep())) continue;
    if (best < 0 || split.watermark < splits_[best]->watermark) best = static_cast<int>(at);
  }
  if (best >= 0 && !splits_[best]->CanStep()) return -1;
  return best;
}

EventTime SourceTask::NextStart() const {
  EventTime start = kMaxEventTime;
  for (const auto& split : splits_) {
    if (!split->ended() && !split->idle) start = std::min(start, split->watermark);
  }
  return start;
}

Status SourceTask::Start(Chain& chain) {
  const int64_t now = clock_.MonotonicNanos();
  for (auto& split : splits_) split->waiting_since_ns = now;
  return EmitWatermark(chain);
}

Status SourceTask::Step(EventTime limit, Chain& chain) {
  if (following_.found != nullptr && following_.found->Take()) TM_RETURN_IF_ERROR(AddLaterSplits());
  if (!rejects_->HasRoom()) return Status::OK();
  const int chosen = Choose();
  if (chosen < 0) return Status::OK();
  last_ = static_cast<size_t>(chosen);
  Split& split = *splits_[chosen];
  if (split.pending.empty()) {
    TM_RETURN_IF_ERROR(Read(split));
    if (split.pending.empty()) return split.ended() ? EmitWatermark(chain) : Status::OK();
  }
  TimedPiece piece = split.pending.front().TakeUntil(limit);
  if (split.pending.front().empty()) split.pending.pop_front();
  split.rows_emitted = split.rows_before + piece.rows_read;
  split.watermark = std::max(split.watermark, piece.watermark);
  BeActive(chain);
  rows_out_->Add(piece.batch.num_rows());
  progress_.rows.store(progress_.rows.load(std::memory_order_relaxed) + piece.batch.num_rows(),
                       std::memory_order_relaxed);
  TM_RETURN_IF_ERROR(chain.Process(0, std::move(piece.batch)));
  return EmitWatermark(chain);
}

Status SourceTask::Read(Split& split) {
  split.wake->Take();
  split.waiting = false;
  const bool careful = split.first_read && splits_.size() >= kManySplits;
  split.first_read = false;
  TM_ASSIGN_OR_RETURN(ReadOutcome outcome,
                      split.reader->Read(careful ? std::min(kFirstReadRows, options_.rows_max) : options_.rows_max));
  const int64_t rows = outcome.batch.num_rows();
  split.read_from = split.read_to;
  split.read_to = std::move(outcome.position);
  split.rows_before = std::min(split.skip, rows);
  split.rows_emitted = split.rows_before;
  if (rows > 0) {
    split.heard = true;
    split.idle = false;
    split.skip -= split.rows_before;
    Batch fresh = split.rows_before > 0 ? outcome.batch.Slice(split.rows_before, rows - split.rows_before)
                                        : std::move(outcome.batch);
    if (fresh.num_rows() == 0) {
      // All of it was emitted before the restart.
    } else if (timer_ == nullptr) {
      if (fresh.ingest_us == 0) fresh.ingest_us = clock_.NowMicros();
      const int64_t fresh_rows = fresh.num_rows();
      split.pending.push_back({std::move(fresh), split.watermark, split.watermark, fresh_rows});
    } else {
      TM_RETURN_IF_ERROR(timer_->Cut(fresh, split.watermark, options_.ordered, *rejects_, split.pending));
      EventTime from = split.watermark;
      if (from == kMinEventTime && !split.pending.front().watermarks.empty())
        from = split.pending.front().watermarks.front();
      const EventTime to = split.pending.back().watermark;
      if (from != kMinEventTime && to > from) {
        density_ = static_cast<double>(rows) * static_cast<double>(splits_.size()) / static_cast<double>(to - from);
      }
    }
  }
  split.read_ended = outcome.ended;
  if (outcome.idle && !outcome.ended) {
    split.waiting = true;
    if (split.heard) split.waiting_since_ns = clock_.MonotonicNanos();  // a wake without rows is no sign of life
    split.heard = false;
  }
  split.lag = outcome.ended ? 0 : split.reader->LagRecords();
  if (split.lag >= 0) {
    split.lag_gauge->Set(static_cast<double>(split.lag));
    int64_t total = 0;
    for (const auto& each : splits_) total += std::max<int64_t>(0, each->lag);
    progress_.lag.store(total, std::memory_order_relaxed);
  }
  return Status::OK();
}

void SourceTask::BeActive(Chain& chain) {
  if (!idle_) return;
  idle_ = false;
  chain.Broadcast(Element::OfWatermark(kMinEventTime));  // says no more than that this input counts again
}

Status SourceTask::EmitWatermark(Chain& chain) {
  EventTime minimum = kMaxEventTime;
  bool any_active = false;
  for (const auto& split : splits_) {
    if (split->ended() || split->idle) continue;
    any_active = true;
    minimum = std::min(minimum, split->watermark);
  }
  if (any_active) {
    BeActive(chain);
    if (minimum > watermark_) {
      watermark_ = minimum;
      progress_.watermark.store(minimum, std::memory_order_relaxed);
      TM_RETURN_IF_ERROR(chain.AdvanceWatermark(minimum));
    }
  } else if (!ended() && !idle_) {
    idle_ = true;
    chain.Broadcast(Element::OfKind(Element::Kind::kIdle));
  }
  progress_.idle.store(idle_, std::memory_order_relaxed);
  return Status::OK();
}

double SourceTask::density() const {
  const bool all_read =
      std::all_of(splits_.begin(), splits_.end(), [](const auto& split) { return split->read_ended; });
  return all_read ? 0 : density_;
}

void SourceTask::Snapshot(std::map<std::string, SplitPosition>& positions) const {
  for (const auto& split : splits_) {
    SplitPosition position;
    position.watermark = split->watermark;
    position.ended = split->ended();
    if (split->pending.empty()) {
      position.position = split->read_to;
      position.skip_rows = split->skip;
    } else {
      position.position = split->read_from;
      position.skip_rows = split->rows_emitted;
    }
    positions[split->split.id] = std::move(position);
  }
}

Status SourceTask::CheckIdle(int64_t now_ns, Chain& chain) {
  if (options_.idle_timeout_ms <= 0) return Status::OK();
  bool changed = false;
  for (auto& split : splits_) {
    if (split->idle || !split->waiting || split->ended() || !split->pending.empty() || split->wake->IsSet()) continue;
    if (now_ns - split->waiting_since_ns < options_.idle_timeout_ms * 1'000'000) continue;
    split->idle = true;
    changed = true;
  }
  return changed ? EmitWatermark(chain) : Status::OK();
}

int64_t SourceTask::NextDeadlineNs() const {
  if (options_.idle_timeout_ms <= 0) return INT64_MAX;
  int64_t deadline = INT64_MAX;
  for (const auto& split : splits_) {
    if (split->idle || !split->waiting || split->ended()) continue;
    deadline = std::min(deadline, split->waiting_since_ns + options_.idle_timeout_ms * 1'000'000);
  }
  return deadline;
}

}  // namespace tidemill
