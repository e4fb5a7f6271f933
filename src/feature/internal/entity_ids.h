#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace tidemill {

// Encoded keys -> 0, 1, 2, ... in the order they were added. `hash`: of the key, well mixed. Flat table, keys in one
// arena.
class EntityIds {
 public:
  EntityIds() : table_(1024, kNone) {}

  int32_t Add(std::string_view key, uint64_t hash) {
    if ((ids_.size() + 1) * 2 > table_.size()) Grow();
    size_t at = hash & (table_.size() - 1);
    for (; table_[at] != kNone; at = (at + 1) & (table_.size() - 1)) {
      if (Is(table_[at], key, hash)) return table_[at];
    }
    const auto id = static_cast<int32_t>(ids_.size());
    table_[at] = id;
    ids_.push_back({hash, bytes_.size(), static_cast<uint32_t>(key.size())});
    bytes_.append(key);
    return id;
  }

  // -1 = not added.
  int32_t Find(std::string_view key, uint64_t hash) const {
    for (size_t at = hash & (table_.size() - 1); table_[at] != kNone; at = (at + 1) & (table_.size() - 1)) {
      if (Is(table_[at], key, hash)) return table_[at];
    }
    return -1;
  }

  int32_t size() const { return static_cast<int32_t>(ids_.size()); }

 private:
  static constexpr int32_t kNone = -1;
  struct Entry {
    uint64_t hash;
    size_t at;
    uint32_t length;
  };

  bool Is(int32_t id, std::string_view key, uint64_t hash) const {
    const Entry& entry = ids_[id];
    return entry.hash == hash && std::string_view(bytes_).substr(entry.at, entry.length) == key;
  }

  void Grow() {
    table_.assign(table_.size() * 2, kNone);
    for (size_t id = 0; id < ids_.size(); ++id) {
      size_t at = ids_[id].hash & (table_.size() - 1);
      while (table_[at] != kNone) at = (at + 1) & (table_.size() - 1);
      table_[at] = static_cast<int32_t>(id);
    }
  }

  std::vector<int32_t> table_;  // a power of two, at most half full
  std::vector<Entry> ids_;
  std::string bytes_;
};

}  // namespace tidemill
