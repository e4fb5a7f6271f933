#include "exec/lower/operator_factory.h"

#include "exec/errors.h"

namespace tidemill {

const char* NodeTypeName(const LogicalNode& node) {
  struct Visitor {
    const char* operator()(const ScanSpec&) const { return "Scan"; }
    const char* operator()(const ValuesSpec&) const { return "Values"; }
    const char* operator()(const ProjectSpec&) const { return "Project"; }
    const char* operator()(const FilterSpec&) const { return "Filter"; }
    const char* operator()(const WindowTvfSpec&) const { return "WindowTvf"; }
    const char* operator()(const WindowAggregateSpec&) const { return "WindowAggregate"; }
    const char* operator()(const GroupAggregateSpec&) const { return "GroupAggregate"; }
    const char* operator()(const OverSpec&) const { return "Over"; }
    const char* operator()(const UnionSpec&) const { return "Union"; }
    const char* operator()(const TemporalJoinSpec&) const { return "TemporalJoin"; }
    const char* operator()(const PredictSpec&) const { return "Predict"; }
    const char* operator()(const JournalSpec&) const { return "Journal"; }
    const char* operator()(const SinkSpec&) const { return "Sink"; }
  };
  return std::visit(Visitor{}, node.spec);
}

Result<OperatorStageSpec> MakeOperatorStage(const LogicalPtr& node) {
  OperatorStageSpec stage{.name = node->name, .type = NodeTypeName(*node)};
  return Status(kUnsupportedOperator, stage.type + " has no operator yet").At(node->position);
}

}  // namespace tidemill
