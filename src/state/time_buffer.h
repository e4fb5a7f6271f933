#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/status.h"
#include "data/schema.h"
#include "state/block_arena.h"
#include "state/key_columns.h"
#include "state/key_index.h"
#include "state/state_store.h"
#include "state/string_store.h"

namespace arrow {
class Array;
}

namespace tidemill {

// For many keys, each key's recent rows in order of event time: a ring of fixed-width records, [time][nulls][values
// ...], all 8-byte words.
//
// A record is named by its sequence number in the key: `front` is the oldest, `back` one past the newest; numbers wrap,
// so they are compared by difference only. Append at the end is O(1); Insert in the middle moves the newer records
// (whose numbers grow by one); records leave from the front. A record pointer is valid until its key is appended to,
// inserted into, trimmed or erased. Snapshot columns: `$key_group`, keys, `$time` (ms), values, flags; a delta holds
// the rows added since the last snapshot and, in the schema's metadata, the trim bound below which earlier rows are
// gone; so a restored key may hold rows that its owner had already trimmed. Owned by one lane. Not thread-safe.
class TimeBuffer final : public StateTable {
 public:
  struct Options {
    std::vector<Field> keys;
    std::vector<Field> values;       // nullable ones have a bit in the nulls word
    std::vector<std::string> flags;  // further bits of the nulls word; at most 64 bits in all
  };
  struct Ring {
    uint64_t* base = nullptr;
    EventTime newest = kMinEventTime;  // time of the last record
    uint32_t mask = 0;                 // capacity - 1
    uint32_t front = 0;
    uint32_t back = 0;
    uint32_t clean = 0;  // records from here on are not in a snapshot yet
    uint32_t size() const { return back - front; }
  };

  static Result<std::unique_ptr<TimeBuffer>> Make(Options options);
  ~TimeBuffer() override;

  // --- layout ---
  int record_words() const { return record_words_; }
  int null_word() const { return null_word_; }  // -1: no nulls, no flags
  int word_of(int value) const { return value_words_[static_cast<size_t>(value)]; }
  uint64_t null_bit(int value) const { return null_bits_[static_cast<size_t>(value)]; }  // 0: never NULL
  uint64_t flag_bit(int flag) const { return flag_bits_[static_cast<size_t>(flag)]; }

  // --- keys ---
  Status FindOrInsert(const std::vector<std::shared_ptr<arrow::Array>>& key_columns, int64_t num_rows,
                      std::vector<uint32_t>& slots, std::vector<uint32_t>* new_rows = nullptr);
  Status Find(const std::vector<std::shared_ptr<arrow::Array>>& key_columns, int64_t num_rows,
              std::vector<uint32_t>& slots);
  uint32_t slot_limit() const { return index_.slot_limit(); }
  bool IsLive(uint32_t slot) const { return index_.IsLive(slot); }
  // The key and all its records go. Not kept for a delta: a key is erased once its records are below the trim bound.
  void EraseKey(uint32_t slot);

  // --- records ---
  const Ring& ring(uint32_t slot) const { return rings_[slot]; }
  uint64_t* record(const Ring& ring, uint32_t sequence) const {
    return ring.base + static_cast<size_t>(sequence & ring.mask) * static_cast<size_t>(record_words_);
  }
  EventTime time(const Ring& ring, uint32_t sequence) const { return static_cast<EventTime>(*record(ring, sequence)); }
  // time >= ring.newest. The record has its time set and its nulls word 0; the values are the caller's to set.
  uint64_t* Append(uint32_t slot, EventTime time) {
    Ring& ring = rings_[slot];
    if (ring.base == nullptr || ring.back - ring.front > ring.mask) [[unlikely]]
      Grow(ring);
    uint64_t* to = record(ring, ring.back++);
    ring.newest = time;
    to[0] = static_cast<uint64_t>(time);
    if (null_word_ >= 0) to[null_word_] = 0;
    return to;
  }
  // At any place: after the records of the same time. Gives the new record's number. Call NoteInserted once its values
  // are set.
  uint64_t* Insert(uint32_t slot, EventTime time, uint32_t* sequence);
  void NoteInserted(uint32_t slot, uint32_t sequence);
  // The first record with a time >= (LowerBound) or > (UpperBound) `time`, or `back`.
  uint32_t LowerBound(const Ring& ring, EventTime time) const;
  uint32_t UpperBound(const Ring& ring, EventTime time) const {
    return time == kMaxEventTime ? ring.back : LowerBound(ring, time + 1);
  }
  // Drops the records before `front` (at most `back`).
  void TrimTo(uint32_t slot, uint32_t front);
  // For snapshots: records with a time below this need not come back. Only rises.
  void set_trim_bound(EventTime bound) { trim_bound_ = std::max(trim_bound_, bound); }
  EventTime trim_bound() const { return trim_bound_; }

  StringStore& strings() { return strings_; }
  const StringStore& strings() const { return strings_; }
  int64_t num_records() const;

  Result<TableSnapshot> Take(bool full) override;
  Status Load(const TableSnapshot& snapshot, KeyGroupRange range) override;
  int64_t MemoryBytes() const override;
  int64_t NumKeys() const override { return index_.size(); }

 private:
  struct LateRecord {
    uint32_t slot;
    std::vector<uint64_t> words;
  };
  struct Picked {
    uint32_t slot;
    const uint64_t* record;
  };

  TimeBuffer(Options options, KeyColumns keys);
  size_t RingBytes(size_t records) const { return records * static_cast<size_t>(record_words_) * 8; }
  void Resize(Ring& ring, size_t records);
  void Grow(Ring& ring);
  void ReleaseStrings(const uint64_t* record);
  void GrowRings();
  Status AppendBatches(const std::vector<Picked>& picked, TableSnapshot& snapshot) const;
  Status LoadBatch(const std::shared_ptr<arrow::RecordBatch>& batch, KeyGroupRange range);

  Options options_;
  KeyColumns keys_;
  int record_words_ = 1;
  int null_word_ = -1;
  std::vector<int> value_words_;
  std::vector<uint64_t> null_bits_;
  std::vector<uint64_t> flag_bits_;
  std::vector<int> string_words_;
  KeyIndex index_;
  std::vector<Ring> rings_;  // by slot
  BlockArena arena_;
  StringStore strings_;
  std::vector<LateRecord> late_;  // inserted below `clean` since the last snapshot
  EventTime trim_bound_ = kMinEventTime;
  bool delta_lost_ = true;
};

}  // namespace tidemill
