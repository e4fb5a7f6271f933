#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "data/key_encoder.h"
#include "state/block_arena.h"

namespace tidemill {

inline constexpr uint32_t kNoSlot = UINT32_MAX;

// Encoded keys -> dense slot numbers: a flat open-addressing table (linear probing, backward-shift deletion, load <=
// 1/2) of 16-byte buckets. Keys of 8 and 9 bytes lie in the bucket, so a lookup is one cache line; longer ones in an
// arena behind their 64-bit hash. Work is done by batches, which prefetch. What belongs to a key lies in columns that
// others index by slot. Slots of erased keys are used again. At most 2^31 keys. Not thread-safe.
class KeyIndex {
 public:
  KeyIndex();

  // slots[i] := slot of key i. A key that is new gets one; `new_rows`, if given, gets i of each, in order.
  // All batches of one index have the same EncodedKeys::fixed_width.
  void FindOrInsert(const EncodedKeys& keys, uint32_t* slots, std::vector<uint32_t>* new_rows = nullptr);
  // kNoSlot where there is none.
  void Find(const EncodedKeys& keys, uint32_t* slots) const;
  // One key of any width; an index is used either by batches or by this.
  uint32_t FindOrInsertOne(std::string_view key, uint64_t hash, bool* inserted);
  void Erase(uint32_t slot);

  int64_t size() const { return size_; }
  // Above every slot in use: the length of columns indexed by slot.
  uint32_t slot_limit() const { return static_cast<uint32_t>(live_.size()); }
  bool IsLive(uint32_t slot) const { return live_[slot] != 0; }
  uint8_t key_group(uint32_t slot) const { return groups_[slot]; }
  // For a group that follows from part of the key.
  void set_key_group(uint32_t slot, uint8_t group) { groups_[slot] = group; }
  // Bytes of a live key; valid until the index changes.
  std::string_view key(uint32_t slot) const;
  int64_t MemoryBytes() const;

 private:
  enum class Layout : uint8_t { kUnset, kInline8, kInline9, kArena };
  // kInline8: word = key. kInline9: word = last 8 bytes, tag = first. kArena: word = hash, tag = length.
  struct Bucket {
    uint64_t word;
    uint32_t tag;
    uint32_t slot;
  };
  struct InlineKey {
    uint8_t bytes[9];
  };
  struct ArenaKey {
    char* bytes;
    uint64_t hash;
    uint32_t length;
  };

  static uint64_t HashOf(Layout layout, uint64_t word, uint32_t tag);
  void SetLayout(int fixed_width);
  template <int kWidth>
  void InlineBatch(const EncodedKeys& keys, uint32_t* slots, std::vector<uint32_t>* new_rows);
  void ArenaBatch(const EncodedKeys& keys, uint32_t* slots, std::vector<uint32_t>* new_rows);
  bool SameArenaKey(uint32_t slot, std::string_view key) const;
  uint32_t NewSlot();
  uint32_t InsertArenaKey(size_t position, uint64_t hash, std::string_view key);
  void Reserve(size_t more);
  size_t BucketOfSlot(uint32_t slot) const;

  Layout layout_ = Layout::kUnset;
  std::vector<Bucket> buckets_;
  size_t mask_ = 0;
  int64_t size_ = 0;
  std::vector<InlineKey> inline_keys_;  // by slot
  std::vector<ArenaKey> arena_keys_;    // by slot
  std::vector<uint8_t> groups_;         // by slot
  std::vector<uint8_t> live_;           // by slot
  std::vector<uint32_t> free_;
  BlockArena arena_;
};

}  // namespace tidemill
