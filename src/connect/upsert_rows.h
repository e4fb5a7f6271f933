#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "data/batch.h"

namespace tidemill {

// What a change is for records by key, of which the last one counts.
enum class UpsertAction : uint8_t { kWrite, kDelete, kSkip };

// Row i of the rows with these kinds (null = all +I) and encoded keys. A row from before is skipped when the row that
// takes its place comes next; alone (a filter has kept that one out) it is a deletion.
inline UpsertAction UpsertActionOf(const int8_t* kinds, size_t i, std::string_view key_bytes,
                                   const std::vector<size_t>& key_ends) {
  const auto kind = kinds == nullptr ? RowKind::kInsert : static_cast<RowKind>(kinds[i]);
  if (kind == RowKind::kDelete) return UpsertAction::kDelete;
  if (kind != RowKind::kUpdateBefore) return UpsertAction::kWrite;
  const bool followed = i + 1 < key_ends.size() && static_cast<RowKind>(kinds[i + 1]) == RowKind::kUpdateAfter;
  if (!followed) return UpsertAction::kDelete;
  const size_t begin = i == 0 ? 0 : key_ends[i - 1];
  const std::string_view key = key_bytes.substr(begin, key_ends[i] - begin);
  return key == key_bytes.substr(key_ends[i], key_ends[i + 1] - key_ends[i]) ? UpsertAction::kSkip
                                                                             : UpsertAction::kDelete;
}

}  // namespace tidemill
