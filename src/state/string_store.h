#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "state/key_index.h"

namespace tidemill {

// Strings that fixed-width records refer to by number: equal strings are kept once, with a count of references. Number
// 0 means "none" and is never counted. Numbers are used again once nobody refers to them. Not thread-safe.
class StringStore {
 public:
  // Adds a reference.
  uint64_t Intern(std::string_view text);
  void AddReference(uint64_t id) {
    if (id != 0) ++references_[id - 1];
  }
  void Release(uint64_t id) {
    if (id != 0 && --references_[id - 1] == 0) index_.Erase(static_cast<uint32_t>(id - 1));
  }
  // Valid until the store changes.
  std::string_view Get(uint64_t id) const {
    return id == 0 ? std::string_view() : index_.key(static_cast<uint32_t>(id - 1));
  }
  int64_t size() const { return index_.size(); }
  int64_t MemoryBytes() const {
    return index_.MemoryBytes() + static_cast<int64_t>(references_.capacity() * sizeof(uint32_t));
  }

 private:
  KeyIndex index_;
  std::vector<uint32_t> references_;  // by number - 1
};

}  // namespace tidemill
