#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "base/clock.h"
#include "base/metrics.h"
#include "base/status.h"
#include "data/batch.h"
#include "data/key_encoder.h"
#include "data/reject.h"
#include "state/state_store.h"

namespace tidemill {

// Where an operator puts its output. Emit hands on to the next operator of the chain at once, or into the exchange at
// the chain's end.
class Collector {
 public:
  virtual ~Collector() = default;
  // Empty batches are dropped. Larger ones than kBatchRowsMax are split.
  virtual Status Emit(Batch batch) = 0;
  // A row that is refused: counted, and written to the reject output.
  virtual RejectSink& rejects() = 0;
};

// Event-time timers of one operator, not keyed: "call OnTimer(id, due) once the watermark is at or past `due`".
// Registering the same (id, due) twice is one timer. Not snapshotted: an operator registers again what its restored
// state needs.
class TimerService {
 public:
  virtual ~TimerService() = default;
  virtual void Register(uint32_t timer_id, EventTime due) = 0;
};

// What an operator is given when it opens. Lives as long as the operator.
struct OpenContext {
  std::string operator_name;  // LogicalNode::name
  int subtask = 0;
  int parallelism = 1;
  StateStore* state = nullptr;  // of this operator in this subtask
  TimerService* timers = nullptr;
  MetricsRegistry* metrics = nullptr;
  Labels labels;  // pipeline, operator, subtask
  const Clock* clock = nullptr;
  std::string time_zone = "UTC";
  std::function<void()> wake;  // any thread: have OnWake called soon on the lane
};

// A step of a stage. Single-threaded: every call comes from its lane. Owns its state; knows neither threads nor
// sockets. Never blocks. Call order: Open, then any of the rest, then Close.
class Operator {
 public:
  virtual ~Operator() = default;
  virtual Status Open(OpenContext& context) = 0;
  // `input`: 0, or for joins 0 = left, 1 = right; for unions the input's number.
  virtual Status ProcessBatch(int input, Batch batch, Collector& out) = 0;
  // The watermark of the operator (minimum over its inputs) has advanced; kMaxEventTime = no more input. Runs after due
  // timers. The runtime hands the watermark on after this returns, unless HoldsWatermark says lower.
  virtual Status OnWatermark(EventTime watermark, Collector& out) = 0;
  // The watermark that may go on, at most `watermark` (the last one given): lower while rows in flight here are still
  // to come out with older times. Asked after OnWatermark and after OnWake. Unless overridden: everything is held until
  // IsQuiescent.
  virtual EventTime HoldsWatermark(EventTime watermark) const;
  virtual Status OnTimer(uint32_t timer_id, EventTime due, Collector& out);
  // Barrier: bring everything into the declared state. Asynchronous operators are first asked IsQuiescent until it is
  // true.
  virtual Status PrepareSnapshot();
  // Asynchronous work has progressed (OpenContext::wake was called): emit what is ready.
  virtual Status OnWake(Collector& out);
  // False while too much is in flight: the subtask is then not given input.
  virtual bool HasRoom() const;
  // True when nothing is in flight: a barrier, and the end of input, pass only then.
  virtual bool IsQuiescent() const;
  virtual void Close() noexcept;
};

}  // namespace tidemill
