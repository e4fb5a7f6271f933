#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

namespace tidemill::log_internal {

// The newest offset of each key, in 24 bytes a key: keys are told apart by a hash of 128 bits, salted by `seed`. At
// most `keys_max` of them. Not thread-safe.
class KeyOffsets {
 public:
  KeyOffsets(size_t keys_max, uint64_t seed) : keys_max_(keys_max), seed_(seed) {}

  // Offsets come in ascending order. False: it is a new key and there is no room for it.
  bool Put(std::string_view key, int64_t offset);
  int64_t Find(std::string_view key) const;  // -1: not there
  size_t size() const { return size_; }

 private:
  struct Slot {
    uint64_t low = 0;
    uint64_t high = 0;
    int64_t offset = -1;  // -1: free
  };
  Slot Hash(std::string_view key) const;
  size_t Place(const Slot& slot) const;
  void Grow();

  const size_t keys_max_;
  const uint64_t seed_;
  size_t size_ = 0;
  std::vector<Slot> slots_;  // a power of two, at most half full; linear probing
};

}  // namespace tidemill::log_internal
