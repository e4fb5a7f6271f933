#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/status.h"
#include "data/schema.h"
#include "state/key_columns.h"
#include "state/key_index.h"
#include "state/state_store.h"

namespace arrow {
class Array;
}

namespace tidemill {

// What lies beside the keys of a KeyedTable: columns indexed by slot, owned by the operator (accumulators, flags,
// timers). A slot that is new or cleared is "empty", whatever that means to its owner.
class SlotValues {
 public:
  virtual ~SlotValues() = default;
  virtual const Schema& schema() const = 0;
  virtual void Resize(int64_t slots) = 0;  // grows only; new slots are empty
  virtual void Clear(std::span<const uint32_t> slots) = 0;
  virtual Result<std::vector<std::shared_ptr<arrow::Array>>> Export(std::span<const uint32_t> slots) const = 0;
  virtual Status Import(std::span<const uint32_t> slots, std::span<const std::shared_ptr<arrow::Array>> columns) = 0;
  virtual int64_t MemoryBytes() const = 0;
};

// Keyed state: key columns -> slot numbers, with values beside them, durable by snapshots that hold what changed.
//
// Snapshot columns: `$key_group`, the key columns, the columns of the values, with a TTL also `$last_write` (ms); a
// delta also `$deleted`. TTL (table.exec.state.ttl): a key that was not upserted for `ttl_ms` of wall clock is empty
// when it is met again, and may be collected. Owned by one lane. Not thread-safe.
class KeyedTable final : public StateTable {
 public:
  struct Options {
    std::vector<Field> keys;
    int group_columns = -1;        // so many leading key columns decide the key group, as in the exchange; -1 = all
    int64_t ttl_ms = 0;            // 0 = for ever
    const Clock* clock = nullptr;  // needed with a TTL
  };
  // `values` is not owned and must outlive the table.
  static Result<std::unique_ptr<KeyedTable>> Make(Options options, SlotValues* values);

  // slots[i] := the slot of row i's key, made when it is new; all are marked as changed. `new_rows`, if given, gets the
  // rows at which a key was new or had expired.
  Status Upsert(const std::vector<std::shared_ptr<arrow::Array>>& key_columns, int64_t num_rows,
                std::vector<uint32_t>& slots, std::vector<uint32_t>* new_rows = nullptr);
  // kNoSlot where there is none (or it has expired).
  Status Find(const std::vector<std::shared_ptr<arrow::Array>>& key_columns, int64_t num_rows,
              std::vector<uint32_t>& slots);
  void MarkChanged(std::span<const uint32_t> slots);
  // Distinct live slots; their values are cleared.
  void Erase(std::span<const uint32_t> slots);
  // Up to `slots_max` slots further round the table: those expired are appended to `expired`; the caller erases them.
  void CollectExpired(int slots_max, std::vector<uint32_t>& expired);
  Result<std::vector<std::shared_ptr<arrow::Array>>> DecodeKeys(std::span<const uint32_t> slots) const;

  const KeyIndex& index() const { return index_; }

  Result<TableSnapshot> Take(bool full) override;
  Status Load(const TableSnapshot& snapshot, KeyGroupRange range) override;
  int64_t MemoryBytes() const override;
  int64_t NumKeys() const override { return index_.size(); }

 private:
  KeyedTable(Options options, KeyColumns keys, SlotValues* values);
  Status SetKeyGroups(const std::vector<std::shared_ptr<arrow::Array>>& key_columns, int64_t num_rows,
                      std::span<const uint32_t> slots, const std::vector<uint32_t>& new_rows);
  void Mark(uint32_t slot) {
    if (dirty_[slot]) return;
    dirty_[slot] = 1;
    dirty_slots_.push_back(slot);
  }
  void Grow();
  void ResetExpired(std::span<const uint32_t> slots, std::vector<uint32_t>* new_rows);
  bool Expired(uint32_t slot, int64_t now_ms) const { return now_ms - last_write_ms_[slot] >= options_.ttl_ms; }
  int64_t NowMs() const { return options_.clock->NowMicros() / 1000; }
  Status AppendRows(std::span<const uint32_t> slots, bool with_deleted, TableSnapshot& snapshot) const;
  Status AppendErased(TableSnapshot& snapshot) const;
  Status LoadBatch(const std::shared_ptr<arrow::RecordBatch>& batch, KeyGroupRange range);

  Options options_;
  KeyColumns keys_;
  std::optional<KeyColumns> group_keys_;  // with Options::group_columns
  SlotValues* values_;
  KeyIndex index_;
  std::vector<uint8_t> dirty_;  // by slot
  std::vector<uint32_t> dirty_slots_;
  std::vector<int64_t> last_write_ms_;  // by slot, only with a TTL
  uint32_t expiry_cursor_ = 0;
  // Keys erased since the last snapshot; given up for a full one when they outgrow the table.
  std::string erased_bytes_;
  std::vector<uint32_t> erased_ends_;
  std::vector<uint8_t> erased_groups_;
  bool delta_lost_ = true;
};

}  // namespace tidemill
