#include "state/string_store.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

namespace tidemill {

uint64_t StringStore::Intern(std::string_view text) {
  bool inserted = false;
  const uint32_t slot = index_.FindOrInsertOne(text, XXH3_64bits(text.data(), text.size()), &inserted);
  if (inserted) {
    if (slot >= references_.size()) references_.resize(slot + 1, 0);
    references_[slot] = 0;
  }
  ++references_[slot];
  return uint64_t{slot} + 1;
}

}  // namespace tidemill
