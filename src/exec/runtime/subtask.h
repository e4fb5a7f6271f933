#pragma once

#include <atomic>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "exec/runtime/chain.h"
#include "exec/runtime/channel.h"
#include "exec/runtime/source_aligner.h"
#include "exec/runtime/source_task.h"

namespace tidemill {

// What subtasks tell their dataflow, from any lane.
class SubtaskListener {
 public:
  virtual ~SubtaskListener() = default;
  virtual void OnEpochPart(EpochPart part, const SourceTask* source) = 0;  // `source` null: not a source subtask
  virtual void OnSubtaskEnded() = 0;
};

// One lane's share of a stage: reads channels or splits, runs its chain. All calls come from its lane, but for those
// marked.
class Subtask {
 public:
  struct Input {
    Channel* channel = nullptr;
    int operator_input = 0;
    bool timed = false;  // its stage has a watermark
    EventTime watermark = kMinEventTime;
    bool idle = false;
    bool ended = false;
    bool blocked = false;  // its barrier is here, others' are not
  };
  struct Options {
    std::string name;      // stage's
    int id = 0;            // in the dataflow
    int index = 0;         // in its stage
    bool ordered = false;  // bounded plan: the input with the lowest watermark goes first
  };

  // `request`: the epoch asked for, as EpochRequest packs it.
  Subtask(Options options, SubtaskListener& listener, const std::atomic<int64_t>& request);

  // While building.
  Chain& chain() { return chain_; }
  void AddInput(Input input) { inputs_.push_back(input); }
  void SetSource(std::unique_ptr<SourceTask> source) { source_ = std::move(source); }
  void JoinAligner(SourceAligner* aligner, int member);  // null: each source goes its own way

  bool Ready();
  // One quantum: a batch and the control elements around it. Only when Ready.
  Status Run();
  Status CheckDeadline(int64_t now_ns);
  int64_t NextDeadlineNs() const;
  // The lane has slept long: if this waits for a slow input in order while another is full, let the full one go once.
  void OnStall();

  const Options& options() const { return options_; }
  SourceTask* source() { return source_.get(); }
  // Any thread.
  std::atomic<int64_t>& busy_ns() { return busy_ns_; }
  std::atomic<EventTime>& watermark() { return shown_watermark_; }
  bool ended() const { return phase_ == Phase::kEnded; }
  // The lane, now and then: whether output or operators without room hold up input that is there.
  void SamplePressure();
  std::atomic<int64_t>& pressure_samples() { return pressure_samples_; }
  std::atomic<int64_t>& pressure_blocked() { return pressure_blocked_; }

  static int64_t PackRequest(EpochMark mark) { return mark.epoch * 2 + (mark.full ? 1 : 0); }
  static EpochMark UnpackRequest(int64_t request) { return {request / 2, request % 2 == 1}; }

 private:
  enum class Phase : uint8_t { kRunning, kPassingBarrier, kEnding, kEnded };
  enum class BarrierState : uint8_t { kNone, kWait, kReadOn, kNow };

  int NextInput() const;
  BarrierState SourceBarrier();
  Status RunSource();
  Status RunInputs();
  Status Take(Input& input);
  Status AdvanceInputs();
  void BeActive();
  bool Aligned() const;
  Status TryBarrier();
  Status TryEnd();
  void BeginBarrier(EpochMark mark);

  const Options options_;
  SubtaskListener& listener_;
  const std::atomic<int64_t>& request_;
  Chain chain_;
  std::vector<Input> inputs_;
  std::unique_ptr<SourceTask> source_;
  SourceAligner* aligner_ = nullptr;
  int member_ = 0;

  Phase phase_ = Phase::kRunning;
  bool started_ = false;
  bool attempt_ = false;  // passing or ending: worth another try
  bool direct_ = false;   // this barrier came by request, after the end
  bool force_ = false;
  int64_t last_epoch_ = 0;
  EpochMark mark_;
  EpochPart part_;
  EventTime watermark_ = kMinEventTime;
  bool idle_ = false;
  size_t last_input_ = 0;
  std::atomic<int64_t> busy_ns_{0};
  std::atomic<int64_t> pressure_samples_{0};
  std::atomic<int64_t> pressure_blocked_{0};
  std::atomic<EventTime> shown_watermark_{kMinEventTime};
};

}  // namespace tidemill
