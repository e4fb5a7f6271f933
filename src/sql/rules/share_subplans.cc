#include <unordered_map>

#include "sql/rules/rules.h"
#include "sql/structure.h"

namespace tidemill {

PlanRoots ShareSubplans(const PlanRoots& roots) {
  std::unordered_multimap<uint64_t, LogicalPtr> known;
  return RewritePlan(roots, [&](const LogicalPtr& node) -> LogicalPtr {
    const uint64_t hash = HashNode(*node);
    auto [first, last] = known.equal_range(hash);
    for (auto it = first; it != last; ++it) {
      if (SameNode(*it->second, *node)) return it->second;
    }
    known.emplace(hash, node);
    return node;
  });
}

}  // namespace tidemill
