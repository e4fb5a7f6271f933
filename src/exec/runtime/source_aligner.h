#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <vector>

#include "base/clock.h"
#include "exec/runtime/lane_signal.h"

namespace tidemill {

// Keeps the source subtasks of a bounded plan together in event time, so that joins buffer little, and cuts epochs at one event time, so
// that which rows are late does not depend on when a barrier came.
//
// Every source subtask publishes the watermark at which its next rows start. One may read while it is not more than its drift ahead of the
// slowest; the slowest always may, so it can't deadlock. For an epoch all arrive; the greatest watermark at which rows of any started, ended
// sources included, is the threshold, and each emits its barrier when its next rows start at or above it. Consumers take the channel with the lowest watermark first (Subtask), so
// everything before the barrier comes before everything after it, in that order too.
class SourceAligner {
 public:
  explicit SourceAligner(int members);
  // While building: whom to notify when others move.
  void SetSignals(std::vector<std::shared_ptr<LaneSignal>> lanes) { lanes_ = std::move(lanes); }

  // The next rows of `member` start at this watermark; kMaxEventTime: it has ended, or has no time attribute.
  void Publish(int member, EventTime start);
  bool MayRead(int member, int64_t drift_ms);
  // `member` takes no further rows until the threshold of `epoch` is known. First answers nullopt to all but the last.
  std::optional<EventTime> Arrive(int member, int64_t epoch);

 private:
  void NotifyAll();

  std::vector<std::atomic<EventTime>> starts_;
  std::vector<std::atomic<EventTime>> reached_;  // last start that was not kMaxEventTime
  std::atomic<bool> someone_waits_{false};
  std::vector<std::shared_ptr<LaneSignal>> lanes_;
  std::mutex mutex_;
  int64_t epoch_ = -1;
  std::vector<bool> arrived_;
  size_t num_arrived_ = 0;
  std::optional<EventTime> threshold_;
};

}  // namespace tidemill
