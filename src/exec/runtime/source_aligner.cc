#include "exec/runtime/source_aligner.h"

#include <algorithm>

namespace tidemill {

SourceAligner::SourceAligner(int members)
    : starts_(static_cast<size_t>(members)), reached_(static_cast<size_t>(members)), arrived_(static_cast<size_t>(members)) {
  for (auto& start : starts_) start.store(kMinEventTime);
  for (auto& reached : reached_) reached.store(kMinEventTime);
}

void SourceAligner::Publish(int member, EventTime start) {
  if (start != kMaxEventTime) reached_[member].store(start, std::memory_order_relaxed);
  if (starts_[member].exchange(start, std::memory_order_seq_cst) == start) return;
  if (someone_waits_.exchange(false, std::memory_order_seq_cst)) NotifyAll();
}

bool SourceAligner::MayRead(int member, int64_t drift_ms) {
  const EventTime own = starts_[member].load(std::memory_order_relaxed);
  for (int attempt = 0; attempt < 2; ++attempt) {
    EventTime slowest = kMaxEventTime;
    for (const auto& start : starts_) slowest = std::min(slowest, start.load(std::memory_order_seq_cst));
    if (own == slowest || (slowest != kMinEventTime && own - slowest <= drift_ms)) return true;
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
