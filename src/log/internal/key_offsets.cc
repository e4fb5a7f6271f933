#include "log/internal/key_offsets.h"

#include <bit>
#include <cstring>

#include "base/murmur.h"

namespace tidemill::log_internal {
namespace {

constexpr size_t kSlotsMin = 1024;
constexpr uint64_t kC1 = 0x87c37b91114253d5ULL, kC2 = 0x4cf5ad432745937fULL;

}  // namespace

// MurmurHash3 x64_128 (Appleby, public domain), its two halves begun with different seeds.
KeyOffsets::Slot KeyOffsets::Hash(std::string_view key) const {
  uint64_t h1 = seed_, h2 = MixHash64(seed_ + 1);
  const auto mix = [&](uint64_t k1, uint64_t k2) {
    h1 ^= std::rotl(k1 * kC1, 31) * kC2;
    h1 = (std::rotl(h1, 27) + h2) * 5 + 0x52dce729;
    h2 ^= std::rotl(k2 * kC2, 33) * kC1;
    h2 = (std::rotl(h2, 31) + h1) * 5 + 0x38495ab5;
  };
  const char* p = key.data();
  size_t left = key.size();
  for (; left >= 16; left -= 16, p += 16) {
    uint64_t k[2];
    std::memcpy(k, p, 16);
    mix(k[0], k[1]);
  }
  uint64_t tail[2] = {0, 0};
  if (left > 0) std::memcpy(tail, p, left);
  mix(tail[0], tail[1]);
  h1 ^= key.size();
  h2 ^= key.size();
  h1 += h2;
  h2 += h1;
  h1 = MixHash64(h1);
  h2 = MixHash64(h2);
  h1 += h2;
  h2 += h1;
  return {h1, h2, -1};
}

size_t KeyOffsets::Place(const Slot& slot) const {
  const size_t mask = slots_.size() - 1;
  size_t at = slot.low & mask;
  while (slots_[at].offset >= 0 && (slots_[at].low != slot.low || slots_[at].high != slot.high)) at = (at + 1) & mask;
  return at;
}

void KeyOffsets::Grow() {
  std::vector<Slot> old(slots_.empty() ? kSlotsMin : slots_.size() * 2);
  old.swap(slots_);
  for (const Slot& slot : old) {
    if (slot.offset >= 0) slots_[Place(slot)] = slot;
  }
}

bool KeyOffsets::Put(std::string_view key, int64_t offset) {
  if (size_ * 2 >= slots_.size()) Grow();
  Slot slot = Hash(key);
  slot.offset = offset;
  Slot& place = slots_[Place(slot)];
  if (place.offset < 0) {
    if (size_ >= keys_max_) return false;
    ++size_;
  }
  place = slot;
  return true;
}

int64_t KeyOffsets::Find(std::string_view key) const { return slots_.empty() ? -1 : slots_[Place(Hash(key))].offset; }

}  // namespace tidemill::log_internal
