#include <fmt/format.h>

#include "sql/node_factory.h"
#include "sql/rules/rules.h"

namespace tidemill {

// State is found again by these names: they follow from what the user named (view, alias, table), and only equal ones
// are numbered, in the order of the script.
PlanRoots NameNodes(const PlanRoots& roots) {
  std::unordered_map<std::string, int> taken;
  return RewritePlan(roots, [&](const LogicalPtr& node) -> LogicalPtr {
    std::string name = fmt::format("{}[{}]", NodeKindName(node->spec), node->name);
    const int count = ++taken[name];
    if (count > 1) name += fmt::format("#{}", count);
    auto copy = std::make_shared<LogicalNode>(*node);
    copy->name = std::move(name);
    return copy;
  });
}

}  // namespace tidemill
