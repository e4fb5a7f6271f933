#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/status.h"
#include "data/key_encoder.h"
#include "data/schema.h"

namespace arrow {
class RecordBatch;
}

namespace tidemill {

// What one state table holds, or what changed in it since the last snapshot, as named and typed columns. Every table
// has first the column
// `$key_group` (int16), so that a restore can pick the groups of its lane, and, in a delta, `$deleted` (bool).
struct TableSnapshot {
  std::string operator_name;  // LogicalNode::name
  std::string table;          // "rows", "slices"
  bool full = true;           // false: a delta over earlier snapshots
  std::vector<std::shared_ptr<arrow::RecordBatch>> batches;
};

// A table of an operator's state: keyed values, per-key time buffers, pending rows (the other headers of this room).
// Owned by the lane.
class StateTable {
 public:
  virtual ~StateTable() = default;
  // At a barrier: all rows (`full`) or those changed since the last call, copied out; marks everything clean. Tables
  // may answer a delta request with a full snapshot when that is smaller (then snapshot.full is true).
  virtual Result<TableSnapshot> Take(bool full) = 0;
  // Applies one earlier snapshot or delta, oldest first, keeping only rows whose key group is in `range`. Columns are
  // matched by name; a column that is missing or has another type is kIncompatibleState, which names it.
  virtual Status Load(const TableSnapshot& snapshot, KeyGroupRange range) = 0;
  virtual int64_t MemoryBytes() const = 0;
  virtual int64_t NumKeys() const = 0;
};

// The state of one operator in one subtask. Tables are registered while the operator opens; if the job is being
// restored, Register loads what was saved under (operator, table) before it returns. Not thread-safe.
class StateStore {
 public:
  StateStore(std::string operator_name, KeyGroupRange range)
      : operator_name_(std::move(operator_name)), range_(range) {}
  // The saved snapshots of this operator's tables, oldest first; before Open.
  void SetRestored(std::map<std::string, std::vector<TableSnapshot>> by_table) { restored_ = std::move(by_table); }

  Status Register(const std::string& table, StateTable* state);
  // Saved tables that nobody registered: the operator has changed.
  std::vector<std::string> UnclaimedTables() const;
  Result<std::vector<TableSnapshot>> Take(bool full);
  int64_t MemoryBytes() const;
  int64_t NumKeys() const;
  const std::string& operator_name() const { return operator_name_; }
  KeyGroupRange key_groups() const { return range_; }

 private:
  std::string operator_name_;
  KeyGroupRange range_;
  std::map<std::string, std::vector<TableSnapshot>> restored_;
  std::vector<std::pair<std::string, StateTable*>> tables_;
};

}  // namespace tidemill
