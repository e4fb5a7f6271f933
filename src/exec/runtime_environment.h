#pragma once

#include <memory>
#include <string>

#include "base/clock.h"
#include "base/metrics.h"
#include "base/status.h"
#include "exec/journal.h"
#include "exec/predictor.h"
#include "exec/sink.h"
#include "exec/source.h"
#include "sql/logical_plan.h"

namespace tidemill {

// What running a plan asks of the rooms above; filled in by job, or by tests. Thread-safe.
class RuntimeEnvironment {
 public:
  virtual ~RuntimeEnvironment() = default;
  virtual Result<std::unique_ptr<Source>> MakeSource(const ScanSpec& scan) = 0;
  virtual Result<std::unique_ptr<Sink>> MakeSink(const SinkSpec& sink) = 0;
  virtual Result<std::unique_ptr<Predictor>> MakePredictor(const PredictSpec& predict) = 0;
  virtual Result<std::unique_ptr<Journal>> MakeJournal(const std::string& operator_name, int subtask) = 0;
  virtual std::unique_ptr<RejectSink> MakeRejectSink(const std::string& origin) = 0;
  // Before an epoch's manifest: rows that were rejected so far are durable when it returns. Not from a lane: it may
  // wait.
  virtual Status SyncRejects() { return Status::OK(); }
  virtual MetricsRegistry& metrics() = 0;
  virtual const Clock& clock() = 0;
};

}  // namespace tidemill
