#pragma once

#include <cstdint>

#include "sql/expression.h"
#include "sql/logical_plan.h"

namespace tidemill {

// Structural identity of expressions and plan nodes: equal things hash equal. Positions and names of nodes are ignored.
uint64_t HashExpression(const Expression& expression);
bool SameExpression(const ExpressionPtr& a, const ExpressionPtr& b);  // both may be null

// Same spec and schema over the very same input objects (so that whole trees compare from the leaves up in linear
// time). A node that is not a function of its inputs (a project with RAND()) equals only itself.
uint64_t HashNode(const LogicalNode& node);
bool SameNode(const LogicalNode& a, const LogicalNode& b);

}  // namespace tidemill
