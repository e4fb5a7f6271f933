#include "exec/runtime/source_aligner.h"

#include <algorithm>

#include "exec/event_time.h"

namespace tidemill {

SourceAligner::SourceAligner(int members, int64_t rows_ahead)
    : rows_ahead_(static_cast<double>(rows_ahead)),
      starts_(static_cast<size_t>(members)),
      reached_(static_cast<size_t>(members)),
      densities_(static_cast<size_t>(members)),
      arrived_(static_cast<size_t>(members)) {
  for (auto& start : starts_) start.store(kMinEventTime);
  for (auto& reached : reached_) reached.store(kMinEventTime);
  for (auto& density : densities_) density.store(kUnknownDensity);
}

void SourceAligner::Publish(int member, EventTime start) {
  if (starts_[member].exchange(start, std::memory_order_seq_cst) == start) return;
  if (someone_waits_.exchange(false, std::memory_order_seq_cst)) NotifyAll();
}

void SourceAligner::PublishReached(int member, EventTime start) {
  reached_[member].store(start, std::memory_order_relaxed);
}

void SourceAligner::PublishDensity(int member, double density) {
  densities_[member].store(density, std::memory_order_relaxed);
}

EventTime SourceAligner::LimitFor(int member) const {
  EventTime slowest = kMaxEventTime;
  double density = 0;
  bool alone = true;
  EventTime unmeasured = kMaxEventTime;  // where the slowest of unknown density starts
  for (size_t i = 0; i < starts_.size(); ++i) {
    const EventTime start = starts_[i].load(std::memory_order_seq_cst);
    if (start == kMaxEventTime) continue;
    slowest = std::min(slowest, start);
    if (static_cast<int>(i) == member) continue;
    alone = false;
    const double its = densities_[i].load(std::memory_order_relaxed);
    if (its == kUnknownDensity) unmeasured = std::min(unmeasured, start);
    density += std::max(0.0, its);
  }
  if (alone) return kMaxEventTime;
  if (slowest == kMinEventTime)
    return kMinEventTime;  // somebody has not begun: it goes first, as far as one row takes it
  const double ahead_ms = density > 0 ? rows_ahead_ / density : 1e15;
  // A restored source has a start before its first row is read: how far is far ahead of it is not known yet.
  return std::min(unmeasured, SaturatingAdd(slowest, static_cast<int64_t>(std::min(ahead_ms, 1e15))));
}

bool SourceAligner::MayEmit(int member) {
  for (int attempt = 0; attempt < 2; ++attempt) {
    if (starts_[member].load(std::memory_order_relaxed) <= LimitFor(member)) return true;
    // Look again after saying so: a move in between would else be missed.
    if (attempt == 0) someone_waits_.store(true, std::memory_order_seq_cst);
  }
  return false;
}

std::optional<EventTime> SourceAligner::Arrive(int member, int64_t epoch) {
  std::optional<EventTime> threshold;
  bool is_last = false;
  {
    std::lock_guard<std::mutex> lock(mutex_);
    if (epoch != epoch_) {
      epoch_ = epoch;
      std::fill(arrived_.begin(), arrived_.end(), false);
      num_arrived_ = 0;
      threshold_.reset();
    }
    if (!arrived_[member]) {
      arrived_[member] = true;
      is_last = ++num_arrived_ == arrived_.size();
    }
    if (is_last) {
      EventTime greatest = kMinEventTime;
      for (const auto& reached : reached_) greatest = std::max(greatest, reached.load());
      threshold_ = greatest;
    }
    threshold = threshold_;
  }
  if (is_last) NotifyAll();
  return threshold;
}

void SourceAligner::NotifyAll() {
  for (const auto& lane : lanes_) lane->Notify();
}

}  // namespace tidemill
