#include "state/state_store.h"

#include <arrow/record_batch.h>

namespace tidemill {

Status StateStore::Register(const std::string& table, StateTable* state) {
  for (const auto& [name, registered] : tables_) TM_CHECK(name != table);
  tables_.emplace_back(table, state);
  const auto found = restored_.find(table);
  if (found == restored_.end()) return Status::OK();
  for (const TableSnapshot& snapshot : found->second) {
    const Status loaded = state->Load(snapshot, range_);
    if (!loaded.ok()) return loaded.WithContext("state '" + table + "' of " + operator_name_);
  }
  restored_.erase(found);
  return Status::OK();
}

std::vector<std::string> StateStore::UnclaimedTables() const {
  std::vector<std::string> names;
  for (const auto& [name, snapshots] : restored_) names.push_back(name);
  return names;
}

Result<std::vector<TableSnapshot>> StateStore::Take(bool full) {
  std::vector<TableSnapshot> snapshots;
  for (const auto& [name, table] : tables_) {
    TM_ASSIGN_OR_RETURN(TableSnapshot snapshot, table->Take(full));
    snapshot.operator_name = operator_name_;
    snapshot.table = name;
    snapshots.push_back(std::move(snapshot));
  }
  return snapshots;
}

int64_t StateStore::MemoryBytes() const {
  int64_t bytes = 0;
  for (const auto& [name, table] : tables_) bytes += table->MemoryBytes();
  return bytes;
}

int64_t StateStore::NumKeys() const {
  int64_t keys = 0;
  for (const auto& [name, table] : tables_) keys += table->NumKeys();
  return keys;
}

}  // namespace tidemill
