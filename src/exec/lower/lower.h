#pragma once

#include "base/status.h"
#include "exec/lower/stage_graph.h"
#include "sql/logical_plan.h"

namespace tidemill {

// Cuts a plan into stages: chains operators as far as rows may stay where they are, and puts an exchange where an
// operator's keys are not those by which its input is already spread. A node that several others share is one stage
// that feeds them all. `parallelism` 1 needs no exchange. Roots that are no INSERT get a sink of all their columns
// (DataflowOptions::result_sink).
Result<StageGraph> LowerPlan(const LogicalPlan& plan, int parallelism);

// The keys by which a node's input `input` must be spread so that equal keys meet; nullopt = any way will do.
struct KeyNeed {
  std::vector<int> keys;
  std::vector<DataType> types;  // as the operator encodes them
};
std::optional<KeyNeed> KeysNeeded(const LogicalNode& node, size_t input);

}  // namespace tidemill
