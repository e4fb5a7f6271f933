#pragma once

#include <atomic>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "exec/runtime/chain.h"
#include "exec/runtime/row_timer.h"
#include "exec/runtime/source_aligner.h"
#include "exec/source.h"

namespace tidemill {

// Where a split's reading stands, as a manifest keeps it. Rows up to `position` plus `skip_rows` more have been
// emitted.
struct SplitPosition {
  std::optional<std::string> position;  // absent: nothing was read yet
  int64_t skip_rows = 0;
  EventTime watermark = kMinEventTime;
  bool ended = false;
  bool operator==(const SplitPosition&) const = default;
};

struct SourceTaskOptions {
  int rows_max = kBatchRowsMax;
  int64_t idle_timeout_ms = 0;  // 0: a split that says nothing holds the watermark for ever
  // Bounded plan: the split with the lowest watermark goes first, always, so that results don't depend on how splits
  // interleave. Else it goes first among those that have something.
  bool ordered = false;
  bool bounded = false;
};

// Counters that other threads read.
struct SourceProgress {
  std::atomic<int64_t> rows{0};
  std::atomic<int64_t> lag{-1};
  std::atomic<EventTime> watermark{kMinEventTime};
  std::atomic<bool> idle{false};
  std::atomic<bool> ended{false};
};

// Reads the splits of one source subtask and feeds its chain: one piece a step, then the watermark it allows.
class SourceTask {
 public:
  // `timer` null: rows without time (VALUES). `rejects`, `clock` outlive it.
  SourceTask(SourceTaskOptions options, std::unique_ptr<RowTimer> timer, std::unique_ptr<RejectSink> rejects,
             const Clock& clock, Counter* rows_out);

  Status AddSplit(Source& source, const SourceSplit& split, const SplitPosition* restored, SplitContext context,
                  const std::shared_ptr<LaneSignal>& signal);

  // From now on this task also reads those of the source's later splits that are `index` modulo `parallelism`, counted
  // from `known` on. `context` makes the context of a split.
  void FollowSource(Source& source, size_t known, int index, int parallelism, std::function<SplitContext()> context,
                    const std::shared_ptr<LaneSignal>& signal);

  bool timed() const { return timer_ != nullptr && timer_->has_watermark(); }
  bool ended() const;          // nothing follows in any split
  bool HasWork() const;        // Step would do something
  Status Start(Chain& chain);  // says what a restored job knows: watermark, idleness
  // Emits rows that start at or below `limit`, some at least.
  Status Step(EventTime limit, Chain& chain);
  // The watermark at which the next rows start; kMaxEventTime when ended.
  EventTime NextStart() const;
  // Rows per millisecond of event time in the last read; 0: everything has been read.
  double density() const;
  void Snapshot(std::map<std::string, SplitPosition>& positions) const;
  // Splits that have said nothing for the idle timeout leave the minimum.
  Status CheckIdle(int64_t now_ns, Chain& chain);
  int64_t NextDeadlineNs() const;  // INT64_MAX: none
  SourceProgress& progress() { return progress_; }

 private:
  struct Split {
    SourceSplit split;
    std::unique_ptr<SplitReader> reader;
    std::shared_ptr<WakeFlag> wake;
    std::deque<TimedPiece> pending;
    EventTime watermark = kMinEventTime;
    std::optional<std::string> read_from;  // position before the last read
    std::optional<std::string> read_to;
    int64_t skip = 0;          // rows still to be left out after read_to: emitted before a restart
    int64_t rows_before = 0;   // rows of the last read that were left out so
    int64_t rows_emitted = 0;  // rows of the last read that have gone, those left out included
    bool read_ended = false;
    bool waiting = false;          // said idle; until its wake
    bool heard = true;             // rows came since it last said idle
    int64_t waiting_since_ns = 0;  // last time that it had just had rows
    bool idle = false;             // left out of the minimum
    bool first_read = true;
    Gauge* lag_gauge = nullptr;
    int64_t lag = -1;

    bool ended() const { return read_ended && pending.empty(); }
    bool CanStep() const { return !pending.empty() || (!read_ended && (!waiting || wake->IsSet())); }
  };

  struct Following {
    Source* source = nullptr;
    size_t known = 0;  // splits there were at the start
    size_t seen = 0;   // later ones
    int index = 0;
    int parallelism = 1;
    std::function<SplitContext()> context;
    std::shared_ptr<LaneSignal> signal;
    std::shared_ptr<WakeFlag> found;
  };

  Status AddLaterSplits();
  int Choose() const;  // number of the split that goes next, -1 = none now
  Status Read(Split& split);
  Status EmitWatermark(Chain& chain);
  void BeActive(Chain& chain);

  SourceTaskOptions options_;
  std::unique_ptr<RowTimer> timer_;
  std::unique_ptr<RejectSink> rejects_;
  const Clock& clock_;
  Counter* rows_out_;
  std::vector<std::unique_ptr<Split>> splits_;
  Following following_;
  EventTime watermark_ = kMinEventTime;
  bool idle_ = false;
  double density_ = SourceAligner::kUnknownDensity;
  size_t last_ = 0;  // split of the last step: ties go round
  SourceProgress progress_;
};

}  // namespace tidemill
