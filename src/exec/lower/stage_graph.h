#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/status.h"
#include "exec/operator.h"
#include "exec/runtime_environment.h"
#include "sql/logical_plan.h"

namespace tidemill {

// How rows get from the subtasks of one stage to those of the next. Watermarks, barriers and the end go to all.
struct ExchangeSpec {
  enum class Kind : uint8_t { kForward, kHash };
  Kind kind = Kind::kForward;  // kForward: subtask i to subtask i
  std::vector<int> keys;  // kHash: columns of the upstream stage's output; none = all rows to the lane of the empty key
  std::vector<DataType> key_types;  // as both sides of a join encode them
};

struct StageInputSpec {
  int stage = 0;           // number of the upstream stage, lower than this one's
  int operator_input = 0;  // which input of the first operator
  ExchangeSpec exchange;
};

// What one operator instance is made from, besides its spec.
struct OperatorMakeContext {
  RuntimeEnvironment& environment;
  const Config& settings;
  std::string job;
  int subtask = 0;
  int parallelism = 1;
  Journal* journal = nullptr;  // out: the one that the operator was given; it is told when epochs start
};

struct OperatorStageSpec {
  std::string name;  // LogicalNode::name
  std::string type;  // "Over", for EXPLAIN, metrics, manifests
  std::function<Result<std::unique_ptr<Operator>>(OperatorMakeContext&)> make;
  int sink = -1;  // number into StageGraph::sinks: then `make` is empty
};

// A chain of operators without exchange inside.
struct StageSpec {
  std::string name;  // of its first node
  LogicalPtr scan;   // a source stage: Scan or Values node; then no inputs
  std::vector<StageInputSpec> inputs;
  std::vector<OperatorStageSpec> operators;
  std::string reject_origin;  // the table whose rows these are, or the first operator's name
  bool timed = false;         // every source above has a watermark
};

struct SinkStageSpec {
  std::string name;  // stable: names its handles in manifests
  LogicalPtr node;   // SinkSpec node, or the root of a SELECT
};

// A plan as it runs, before parallelism. Stages upstream first.
struct StageGraph {
  std::vector<StageSpec> stages;
  std::vector<SinkStageSpec> sinks;
};

// One line a stage: for EXPLAIN and tests.
std::string DescribeStages(const StageGraph& graph);

}  // namespace tidemill
