#include "state/key_index.h"

#include <algorithm>
#include <cstring>

#include "base/murmur.h"
#include "base/status.h"

namespace tidemill {
namespace {

constexpr size_t kFirstBuckets = 16;
constexpr int64_t kPrefetchRows = 64;

template <int kWidth>
inline void LoadKey(const uint8_t* key, uint64_t* word, uint32_t* tag) {
  std::memcpy(word, key + (kWidth - 8), 8);
  *tag = kWidth == 9 ? key[0] : 0;
}

inline uint64_t HashInline(uint64_t word, uint32_t tag) { return MixHash64(word ^ (tag * 0x9e3779b97f4a7c15ULL)); }

}  // namespace

KeyIndex::KeyIndex() : buckets_(kFirstBuckets, Bucket{0, 0, kNoSlot}), mask_(kFirstBuckets - 1) {}

uint64_t KeyIndex::HashOf(Layout layout, uint64_t word, uint32_t tag) {
  return layout == Layout::kArena ? word : HashInline(word, tag);
}

void KeyIndex::SetLayout(int fixed_width) {
  const Layout wanted = fixed_width == 8 ? Layout::kInline8 : fixed_width == 9 ? Layout::kInline9 : Layout::kArena;
  TM_CHECK(layout_ == Layout::kUnset || layout_ == wanted);
  layout_ = wanted;
}

// Room for `more` keys without another rehash, so that positions computed for a run of rows stay right.
void KeyIndex::Reserve(size_t more) {
  const size_t needed = static_cast<size_t>(size_) + more;
  if (needed * 2 <= buckets_.size()) return;
  size_t capacity = buckets_.size() * 2;
  while (needed * 2 > capacity) capacity *= 2;
  TM_CHECK(capacity <= (size_t{1} << 32));
  std::vector<Bucket> old = std::move(buckets_);
  buckets_.assign(capacity, Bucket{0, 0, kNoSlot});
  mask_ = capacity - 1;
  for (const Bucket& bucket : old) {
    if (bucket.slot == kNoSlot) continue;
    size_t position = HashOf(layout_, bucket.word, bucket.tag) & mask_;
    while (buckets_[position].slot != kNoSlot) position = (position + 1) & mask_;
    buckets_[position] = bucket;
  }
}

uint32_t KeyIndex::NewSlot() {
  ++size_;
  if (!free_.empty()) {
    const uint32_t slot = free_.back();
    free_.pop_back();
    live_[slot] = 1;
    return slot;
  }
  const uint32_t slot = static_cast<uint32_t>(live_.size());
  TM_CHECK(slot < (1u << 31));
  live_.push_back(1);
  groups_.push_back(0);
  if (layout_ == Layout::kArena) {
    arena_keys_.push_back({nullptr, 0, 0});
  } else {
    inline_keys_.emplace_back();
  }
  return slot;
}

template <int kWidth>
void KeyIndex::InlineBatch(const EncodedKeys& keys, uint32_t* slots, std::vector<uint32_t>* new_rows) {
  uint64_t words[kPrefetchRows];
  uint32_t tags[kPrefetchRows];
  size_t positions[kPrefetchRows];
  for (int64_t base = 0; base < keys.num_rows; base += kPrefetchRows) {
    const int64_t n = std::min(kPrefetchRows, keys.num_rows - base);
    Reserve(static_cast<size_t>(n));
    for (int64_t j = 0; j < n; ++j) {
      LoadKey<kWidth>(keys.data + (base + j) * kWidth, &words[j], &tags[j]);
      positions[j] = HashInline(words[j], tags[j]) & mask_;
      __builtin_prefetch(&buckets_[positions[j]]);
    }
    for (int64_t j = 0; j < n; ++j) {
      size_t position = positions[j];
      for (;;) {
        Bucket& bucket = buckets_[position];
        if (bucket.slot == kNoSlot) {
          const uint32_t slot = NewSlot();
          std::memcpy(inline_keys_[slot].bytes, keys.data + (base + j) * kWidth, kWidth);
          groups_[slot] = keys.key_groups ? keys.key_groups[base + j] : 0;
          bucket = {words[j], tags[j], slot};
          slots[base + j] = slot;
          if (new_rows) new_rows->push_back(static_cast<uint32_t>(base + j));
          break;
        }
        if (bucket.word == words[j] && bucket.tag == tags[j]) {
          slots[base + j] = bucket.slot;
          break;
        }
        position = (position + 1) & mask_;
      }
    }
  }
}

bool KeyIndex::SameArenaKey(uint32_t slot, std::string_view key) const {
  return std::memcmp(arena_keys_[slot].bytes, key.data(), key.size()) == 0;
}

uint32_t KeyIndex::InsertArenaKey(size_t position, uint64_t hash, std::string_view key) {
  const uint32_t slot = NewSlot();
  char* bytes = static_cast<char*>(arena_.Allocate(key.size()));
  std::memcpy(bytes, key.data(), key.size());
  arena_keys_[slot] = {bytes, hash, static_cast<uint32_t>(key.size())};
  buckets_[position] = {hash, static_cast<uint32_t>(key.size()), slot};
  return slot;
}

void KeyIndex::ArenaBatch(const EncodedKeys& keys, uint32_t* slots, std::vector<uint32_t>* new_rows) {
  for (int64_t base = 0; base < keys.num_rows; base += kPrefetchRows) {
    const int64_t n = std::min(kPrefetchRows, keys.num_rows - base);
    Reserve(static_cast<size_t>(n));
    const uint64_t* hashes = keys.hashes + base;
    for (int64_t j = 0; j < n; ++j) __builtin_prefetch(&buckets_[hashes[j] & mask_]);
    for (int64_t j = 0; j < n; ++j) {
      const uint32_t slot = buckets_[hashes[j] & mask_].slot;
      if (slot != kNoSlot) __builtin_prefetch(arena_keys_[slot].bytes);
    }
    for (int64_t j = 0; j < n; ++j) {
      const std::string_view key = keys.key(base + j);
      size_t position = hashes[j] & mask_;
      for (;;) {
        const Bucket& bucket = buckets_[position];
        if (bucket.slot == kNoSlot) {
          const uint32_t slot = InsertArenaKey(position, hashes[j], key);
          groups_[slot] = keys.key_groups ? keys.key_groups[base + j] : 0;
          slots[base + j] = slot;
          if (new_rows) new_rows->push_back(static_cast<uint32_t>(base + j));
          break;
        }
        if (bucket.word == hashes[j] && bucket.tag == key.size() && SameArenaKey(bucket.slot, key)) {
          slots[base + j] = bucket.slot;
          break;
        }
        position = (position + 1) & mask_;
      }
    }
  }
}

void KeyIndex::FindOrInsert(const EncodedKeys& keys, uint32_t* slots, std::vector<uint32_t>* new_rows) {
  SetLayout(keys.fixed_width);
  if (layout_ == Layout::kInline8) return InlineBatch<8>(keys, slots, new_rows);
  if (layout_ == Layout::kInline9) return InlineBatch<9>(keys, slots, new_rows);
  ArenaBatch(keys, slots, new_rows);
}

void KeyIndex::Find(const EncodedKeys& keys, uint32_t* slots) const {
  if (layout_ == Layout::kUnset) {
    std::fill_n(slots, keys.num_rows, kNoSlot);
    return;
  }
  for (int64_t base = 0; base < keys.num_rows; base += kPrefetchRows) {
    const int64_t n = std::min(kPrefetchRows, keys.num_rows - base);
    uint64_t words[kPrefetchRows];
    uint32_t tags[kPrefetchRows];
    for (int64_t j = 0; j < n; ++j) {
      const uint8_t* data = keys.data + (base + j) * keys.fixed_width;
      if (layout_ == Layout::kInline8) {
        LoadKey<8>(data, &words[j], &tags[j]);
      } else if (layout_ == Layout::kInline9) {
        LoadKey<9>(data, &words[j], &tags[j]);
      } else {
        words[j] = keys.hashes[base + j];
        tags[j] = static_cast<uint32_t>(keys.key(base + j).size());
      }
      __builtin_prefetch(&buckets_[HashOf(layout_, words[j], tags[j]) & mask_]);
    }
    for (int64_t j = 0; j < n; ++j) {
      size_t position = HashOf(layout_, words[j], tags[j]) & mask_;
      slots[base + j] = kNoSlot;
      for (; buckets_[position].slot != kNoSlot; position = (position + 1) & mask_) {
        const Bucket& bucket = buckets_[position];
        if (bucket.word != words[j] || bucket.tag != tags[j]) continue;
        if (layout_ == Layout::kArena && !SameArenaKey(bucket.slot, keys.key(base + j))) continue;
        slots[base + j] = bucket.slot;
        break;
      }
    }
  }
}

uint32_t KeyIndex::FindOrInsertOne(std::string_view key, uint64_t hash, bool* inserted) {
  SetLayout(0);
  Reserve(1);
  *inserted = false;
  size_t position = hash & mask_;
  for (; buckets_[position].slot != kNoSlot; position = (position + 1) & mask_) {
    const Bucket& bucket = buckets_[position];
    if (bucket.word == hash && bucket.tag == key.size() && SameArenaKey(bucket.slot, key)) return bucket.slot;
  }
  *inserted = true;
  return InsertArenaKey(position, hash, key);
}

size_t KeyIndex::BucketOfSlot(uint32_t slot) const {
  uint64_t hash = 0;
  if (layout_ == Layout::kArena) {
    hash = arena_keys_[slot].hash;
  } else {
    uint64_t word = 0;
    uint32_t tag = 0;
    if (layout_ == Layout::kInline8) {
      LoadKey<8>(inline_keys_[slot].bytes, &word, &tag);
    } else {
      LoadKey<9>(inline_keys_[slot].bytes, &word, &tag);
    }
    hash = HashInline(word, tag);
  }
  size_t position = hash & mask_;
  while (buckets_[position].slot != slot) position = (position + 1) & mask_;
  return position;
}

void KeyIndex::Erase(uint32_t slot) {
  TM_CHECK(slot < live_.size() && live_[slot] != 0);
  size_t hole = BucketOfSlot(slot);
  // Backward shift (Knuth 6.4, algorithm R): later entries of the run move up while that brings none before its home
  // bucket.
  for (size_t next = (hole + 1) & mask_; buckets_[next].slot != kNoSlot; next = (next + 1) & mask_) {
    const size_t home = HashOf(layout_, buckets_[next].word, buckets_[next].tag) & mask_;
    if (((next - home) & mask_) < ((next - hole) & mask_)) continue;
    buckets_[hole] = buckets_[next];
    hole = next;
  }
  buckets_[hole] = Bucket{0, 0, kNoSlot};
  if (layout_ == Layout::kArena) {
    arena_.Free(arena_keys_[slot].bytes, arena_keys_[slot].length);
    arena_keys_[slot] = {nullptr, 0, 0};
  }
  live_[slot] = 0;
  free_.push_back(slot);
  --size_;
}

std::string_view KeyIndex::key(uint32_t slot) const {
  switch (layout_) {
    case Layout::kArena:
      return {arena_keys_[slot].bytes, arena_keys_[slot].length};
    case Layout::kInline8:
      return {reinterpret_cast<const char*>(inline_keys_[slot].bytes), 8};
    default:
      return {reinterpret_cast<const char*>(inline_keys_[slot].bytes), 9};
  }
}

int64_t KeyIndex::MemoryBytes() const {
  return static_cast<int64_t>(buckets_.capacity() * sizeof(Bucket) + inline_keys_.capacity() * sizeof(InlineKey) +
                              arena_keys_.capacity() * sizeof(ArenaKey) + groups_.capacity() + live_.capacity() +
                              free_.capacity() * sizeof(uint32_t)) +
         arena_.reserved_bytes();
}

}  // namespace tidemill
