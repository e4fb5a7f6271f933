#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/status.h"
#include "data/batch.h"
#include "data/schema.h"
#include "state/key_columns.h"
#include "state/state_store.h"

namespace tidemill {

// Rows that an earlier run had decided and that this run has not met again yet, found by the values of the columns that
// a replay gives alike; of equal ones the first decided comes first.
//
// Every subtask holds all of them, for at another parallelism it is not known who will meet a row; each saves those
// whose columns hash into its own key groups, and loads all. A row that is not met within `epochs_max` epochs is
// another subtask's, and is forgotten.
class RecoveredRows final : public StateTable {
 public:
  static constexpr int kEpochsMax = 100;

  static Result<std::unique_ptr<RecoveredRows>> Make(Schema rows, std::vector<int> identifying_columns,
                                                     KeyGroupRange own);

  Status Add(const Batch& batch, int age);
  bool empty() const { return rows_.empty(); }
  // For each row of the batch what was decided for it, taken out; nullopt: nothing.
  Result<std::vector<std::optional<Batch>>> Match(const Batch& batch);
  // A barrier: rows get older.
  void NextEpoch();

  Result<TableSnapshot> Take(bool full) override;
  Status Load(const TableSnapshot& snapshot, KeyGroupRange range) override;
  int64_t MemoryBytes() const override;
  int64_t NumKeys() const override { return static_cast<int64_t>(rows_.size()); }

 private:
  struct Row {
    Batch row;
    int age;
    uint8_t key_group;
  };
  RecoveredRows(Schema rows, std::vector<int> identifying_columns, KeyColumns keys, KeyGroupRange own);
  Result<EncodedKeys> Encode(const Batch& batch);

  Schema schema_;
  std::vector<int> identifying_columns_;
  KeyColumns keys_;
  KeyGroupRange own_;
  std::unordered_map<std::string, std::deque<Row>> rows_;
};

}  // namespace tidemill
