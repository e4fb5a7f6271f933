#pragma once

#include <cstdint>
#include <optional>
#include <set>
#include <utility>

#include "exec/operator.h"

namespace tidemill {

// The event-time timers of one operator, earliest first; equal times by timer id.
class TimerQueue final : public TimerService {
 public:
  struct Timer {
    EventTime due;
    uint32_t id;
  };
  void Register(uint32_t timer_id, EventTime due) override {
    if (due == last_.first && timer_id == last_.second && !timers_.empty())
      return;  // rows of one window repeat the same timer
    last_ = {due, timer_id};
    timers_.insert(last_);
  }
  // Takes the earliest timer that is due at `watermark`.
  std::optional<Timer> TakeDue(EventTime watermark) {
    if (timers_.empty() || timers_.begin()->first > watermark) return std::nullopt;
    const auto [due, id] = *timers_.begin();
    timers_.erase(timers_.begin());
    if (last_ == std::pair(due, id)) last_ = {kMinEventTime, UINT32_MAX};
    return Timer{due, id};
  }
  size_t size() const { return timers_.size(); }

 private:
  std::set<std::pair<EventTime, uint32_t>> timers_;
  std::pair<EventTime, uint32_t> last_{kMinEventTime, UINT32_MAX};
};

}  // namespace tidemill
