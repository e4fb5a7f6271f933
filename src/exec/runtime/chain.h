#pragma once

#include <atomic>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "exec/operator.h"
#include "exec/runtime/element.h"
#include "exec/runtime/lane_signal.h"
#include "exec/runtime/output.h"
#include "exec/runtime/timer_queue.h"
#include "exec/sink_operator.h"

namespace tidemill {

// What a subtask answers to a barrier: its part of the epoch.
struct EpochPart {
  EpochMark mark;
  int subtask_id = 0;  // number in the dataflow
  int subtask = 0;     // number in its stage
  std::vector<TableSnapshot> snapshots;
  std::vector<std::pair<std::string, std::string>> handles;  // sink name -> prepared handle, those that are not ""
  int64_t state_bytes = 0;
  int64_t state_keys = 0;
};

// The operators of one subtask, from its head to its outputs, and what happens between them: watermarks, timers,
// barriers, the end.
class Chain {
 public:
  Chain() = default;
  ~Chain() { Close(); }
  Chain(const Chain&) = delete;
  Chain& operator=(const Chain&) = delete;

  // While building, in order. `journal` may be null. Snapshots are taken only with `take_state`.
  void Add(std::unique_ptr<Operator> op, OpenContext context, KeyGroupRange key_groups,
           std::unique_ptr<RejectSink> rejects, std::shared_ptr<WakeFlag> wake, Journal* journal);
  void AddOutput(std::unique_ptr<Output> output) { outputs_.push_back(std::move(output)); }
  void SetTakeState(bool take_state) { take_state_ = take_state; }
  StateStore& state(int link) { return links_[link]->state; }
  int size() const { return static_cast<int>(links_.size()); }
  Status Open();
  void Close() noexcept;

  // All outputs have room; operators are asked apart, for they gate input only.
  bool OutputsHaveRoom() const;
  bool OperatorsHaveRoom() const;
  bool HasWakes() const;

  Status Process(int input, Batch batch) { return Deliver(0, input, std::move(batch)); }
  // The combined watermark of the inputs has advanced.
  Status AdvanceWatermark(EventTime watermark);
  Status RunWakes();
  // Takes the barrier through as many operators as are quiescent; true: all have passed, `part` is complete. Else call
  // again after a wake.
  Result<bool> PassBarrier(EpochMark mark, EpochPart& part);
  // After AdvanceWatermark(kMaxEventTime): true once nothing is in flight and the last watermark has left the chain.
  Result<bool> PassEnd();
  void Broadcast(const Element& element);
  int64_t rows_written() const;

 private:
  struct Link final : Collector {
    Link(std::string name, KeyGroupRange range) : state(std::move(name), range) {}
    Status Emit(Batch batch) override {
      rows_out->Add(batch.num_rows());
      return chain->Deliver(index + 1, 0, std::move(batch));
    }
    RejectSink& rejects() override { return *reject_sink; }

    Chain* chain = nullptr;
    int index = 0;
    std::unique_ptr<RejectSink> reject_sink;
    std::unique_ptr<Operator> op;
    SinkOperator* sink = nullptr;  // when op is one
    OpenContext context;
    StateStore state;
    TimerQueue timers;
    std::shared_ptr<WakeFlag> wake;
    Journal* journal = nullptr;
    EventTime watermark = kMinEventTime;  // last one given to op
    EventTime forwarded = kMinEventTime;  // last one given on
    Counter* rows_in = nullptr;
    Counter* rows_out = nullptr;
    bool opened = false;
  };

  Status Deliver(int link, int input, Batch batch);
  Status Advance(int link, EventTime watermark);
  Status ForwardWatermark(Link& link);
  Status At(const Link& link, Status status);

  std::vector<std::unique_ptr<Link>> links_;
  std::vector<std::unique_ptr<Output>> outputs_;
  bool take_state_ = false;
  bool failed_ = false;  // the error already names its operator
  int barrier_at_ = 0;   // next link that the barrier has to pass
};

}  // namespace tidemill
