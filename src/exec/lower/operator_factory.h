#pragma once

#include "base/status.h"
#include "exec/lower/stage_graph.h"

namespace tidemill {

// How a logical node runs: the one list of operators. kUnsupportedOperator, at the node's place, for what has no
// operator yet. Not for Scan, Values and Sink, which the dataflow makes itself.
Result<OperatorStageSpec> MakeOperatorStage(const LogicalPtr& node);
// A projection of a filter, as one operator over the filter's input.
Result<OperatorStageSpec> MakeFilterProjectStage(const LogicalPtr& project, const LogicalPtr& filter);

// "Over", "WindowAggregate", ...: the name of a node's kind.
const char* NodeTypeName(const LogicalNode& node);

}  // namespace tidemill
