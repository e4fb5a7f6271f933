#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"

namespace tidemill {

// Every error code of every room, an explicit list, by number: `tidemill explain TM2104` and the documentation read it.
struct CatalogEntry {
  const ErrorCode* code;
  std::string_view text;  // more than the title says; may be empty
};
const std::vector<CatalogEntry>& ErrorCatalog();

// "TM2104", "tm2104" or "2104".
const CatalogEntry* FindErrorCode(std::string_view name);
// True when `name` looks like an error code: TM and digits.
bool LooksLikeErrorCode(std::string_view name);
// What `tidemill explain` prints.
std::string ExplainErrorCode(const CatalogEntry& entry);

}  // namespace tidemill
