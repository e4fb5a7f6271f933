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

// Keeps the source subtasks of a bounded plan together in event time, so that joins buffer little, and cuts epochs at
// one event time, so that which rows are late does not depend on when a barrier came.
//
// Every source subtask publishes the watermark at which its next rows start, and how dense its rows lie in event time.
// Rows may go on while they start so little above the slowest that the others have only a few batches to read up to
// there; the slowest always may, so it can't deadlock. For an epoch all arrive; the greatest watermark at which rows
// that went on had started, those of ended sources included, is the threshold, and each emits its barrier when its next
// rows start at or above it. Consumers take the channel with the lowest watermark first (Subtask), so everything before
// the barrier comes before everything after it, in that order too.
class SourceAligner {
 public:
  static constexpr double kUnknownDensity = -1;

  // `rows_ahead`: how many rows others may have to read before they are level.
  SourceAligner(int members, int64_t rows_ahead);
  // While building: whom to notify when others move.
  void SetSignals(std::vector<std::shared_ptr<LaneSignal>> lanes) { lanes_ = std::move(lanes); }

  // The next rows of `member` start at this watermark; kMaxEventTime: it has ended, or has no time attribute.
  void Publish(int member, EventTime start);
  // Rows that start here have gone on.
  void PublishReached(int member, EventTime start);
  // Rows per millisecond of event time; 0: all of them have been read; kUnknownDensity: none has,
  // so that nobody may run ahead of it.
  void PublishDensity(int member, double density);
  // Rows of `member` that start at or below this watermark may go on now.
  EventTime LimitFor(int member) const;
  // Whether its next rows may go; if not, its lane is notified when others have moved.
  bool MayEmit(int member);
  // `member` takes no further rows until the threshold of `epoch` is known. First answers nullopt to all but the last.
  std::optional<EventTime> Arrive(int member, int64_t epoch);

 private:
  void NotifyAll();

  const double rows_ahead_;

  std::vector<std::atomic<EventTime>> starts_;
  std::vector<std::atomic<EventTime>> reached_;
  std::vector<std::atomic<double>> densities_;
  std::atomic<bool> someone_waits_{false};
  std::vector<std::shared_ptr<LaneSignal>> lanes_;
  std::mutex mutex_;
  int64_t epoch_ = -1;
  std::vector<bool> arrived_;
  size_t num_arrived_ = 0;
  std::optional<EventTime> threshold_;
};

}  // namespace tidemill
