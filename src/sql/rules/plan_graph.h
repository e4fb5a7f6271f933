#pragma once

#include <functional>
#include <unordered_map>
#include <vector>

#include "sql/logical_plan.h"

namespace tidemill {

using PlanRoots = std::vector<LogicalPtr>;

// Every node once, inputs before those that read them.
std::vector<LogicalPtr> InputsFirst(const PlanRoots& roots);
// How many inputs (of all nodes) each node is; roots count one.
std::unordered_map<const LogicalNode*, int> CountConsumers(const PlanRoots& roots);
// Rebuilds the plan from the leaves up: `rewrite` sees each node once, its inputs rewritten already. What was shared
// stays shared.
PlanRoots RewritePlan(const PlanRoots& roots, const std::function<LogicalPtr(const LogicalPtr&)>& rewrite);
Result<PlanRoots> TryRewritePlan(const PlanRoots& roots,
                                 const std::function<Result<LogicalPtr>(const LogicalPtr&)>& rewrite);
// The node with `map` applied to each expression of its spec; itself when none changed. Schema and modes stay.
LogicalPtr MapExpressions(const LogicalPtr& node, const std::function<ExpressionPtr(const ExpressionPtr&)>& map);

}  // namespace tidemill
