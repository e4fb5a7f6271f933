#pragma once

#include "base/clock.h"
#include "state/state_store.h"

namespace tidemill {

// The watermark that an operator had reached, as state: what was late before a restart is late after it, and what has
// fired does not fire again. At a barrier it is the same in all subtasks, so a restore takes the greatest.
class SavedWatermark final : public StateTable {
 public:
  EventTime value = kMinEventTime;

  Result<TableSnapshot> Take(bool full) override;
  Status Load(const TableSnapshot& snapshot, KeyGroupRange range) override;
  int64_t MemoryBytes() const override { return 0; }
  int64_t NumKeys() const override { return 0; }
};

}  // namespace tidemill
