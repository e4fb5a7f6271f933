#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/status.h"
#include "data/batch.h"

namespace tidemill {

// The journal of one subtask: what was decided since the last epoch, kept durably before it can have an effect outside,
// so that a replay decides the same. Filled in by job (a file with checksummed records per subtask). Called from one
// lane.
class Journal {
 public:
  virtual ~Journal() = default;
  // `done` runs on any thread once the rows are durable (or failed to be).
  virtual void Append(const Batch& batch, std::function<void(Status)> done) = 0;
  // What earlier runs decided after the epoch that was restored, in order; once, when opening. All subtasks' rows: the
  // operator keeps those of its own keys by matching. Rows that no replayed row has matched when a barrier passes must
  // be in the operator's snapshot: their records go with the epoch.
  virtual Result<std::vector<Batch>> TakeRecovered() = 0;
  // Epoch `epoch` starts: records of epochs before the last durable one may go. The runtime calls it when a barrier has
  // passed the operator.
  virtual void StartEpoch(int64_t epoch) = 0;
};

}  // namespace tidemill
