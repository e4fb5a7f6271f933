#include "exec/lower/operator_factory.h"

#include "exec/calc.h"
#include "exec/errors.h"
#include "exec/group_aggregate.h"
#include "exec/journal_operator.h"
#include "exec/over.h"
#include "exec/predict.h"
#include "exec/session_aggregate.h"
#include "exec/temporal_join.h"
#include "exec/union.h"
#include "exec/window_aggregate.h"
#include "exec/window_tvf.h"

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

namespace {

using Made = Result<std::unique_ptr<Operator>>;

// A stage whose operator `make` gives; made once here already, so that what can't run is refused before anything
// starts.
template <typename Make>
Result<OperatorStageSpec> StageOf(const LogicalPtr& node, Make make) {
  const Status status = make().status();
  if (!status.ok()) return status.At(node->position);
  return OperatorStageSpec{
      .name = node->name, .type = NodeTypeName(*node), .make = [node, make](OperatorMakeContext&) -> Made {
        TM_ASSIGN_OR_RETURN(auto made, make());
        return Made(std::move(made));
      }};
}

}  // namespace

Result<OperatorStageSpec> MakeOperatorStage(const LogicalPtr& node) {
  const Schema& output = node->schema;
  if (const auto* filter = std::get_if<FilterSpec>(&node->spec)) {
    return StageOf(node, [=] { return Calc::Make({filter->predicate, {}}, node->inputs[0]->schema, output); });
  }
  if (const auto* project = std::get_if<ProjectSpec>(&node->spec)) {
    return StageOf(node, [=] { return Calc::Make({nullptr, project->expressions}, node->inputs[0]->schema, output); });
  }
  if (const auto* over = std::get_if<OverSpec>(&node->spec)) {
    return StageOf(node, [=] { return Over::Make(*over, node->inputs[0]->schema, output); });
  }
  if (std::holds_alternative<UnionSpec>(node->spec)) {
    return StageOf(node, [=] { return Union::Make(output); });
  }
  if (const auto* join = std::get_if<TemporalJoinSpec>(&node->spec)) {
    return StageOf(node,
                   [=] { return TemporalJoin::Make(*join, node->inputs[0]->schema, node->inputs[1]->schema, output); });
  }
  if (const auto* window = std::get_if<WindowAggregateSpec>(&node->spec)) {
    if (window->window.kind == WindowKind::kSession) {
      return StageOf(node, [=] { return SessionAggregate::Make(*window, node->inputs[0]->schema, output); });
    }
    return StageOf(node, [=] { return WindowAggregate::Make(*window, node->inputs[0]->schema, output); });
  }
  if (const auto* window = std::get_if<WindowTvfSpec>(&node->spec)) {
    return StageOf(node, [=] { return WindowTvf::Make(*window, node->inputs[0]->schema, output); });
  }
  if (const auto* group = std::get_if<GroupAggregateSpec>(&node->spec)) {
    return StageOf(node, [=] { return GroupAggregate::Make(*group, node->inputs[0]->schema, output); });
  }
  if (const auto* predict = std::get_if<PredictSpec>(&node->spec)) {
    return OperatorStageSpec{
        .name = node->name, .type = NodeTypeName(*node), .make = [=](OperatorMakeContext& context) -> Made {
          TM_ASSIGN_OR_RETURN(auto predictor, context.environment.MakePredictor(*predict));
          TM_ASSIGN_OR_RETURN(auto made, Predict::Make(*predict, node->schema, std::move(predictor)));
          return Made(std::move(made));
        }};
  }
  if (const auto* journal_spec = std::get_if<JournalSpec>(&node->spec)) {
    return OperatorStageSpec{
        .name = node->name, .type = NodeTypeName(*node), .make = [=](OperatorMakeContext& context) -> Made {
          TM_ASSIGN_OR_RETURN(auto journal, context.environment.MakeJournal(node->name, context.subtask));
          TM_ASSIGN_OR_RETURN(auto made, JournalOperator::Make(*journal_spec, node->schema, std::move(journal)));
          context.journal = made->journal();
          return Made(std::move(made));
        }};
  }
  return Status(kUnsupportedOperator, std::string(NodeTypeName(*node)) + " has no operator yet").At(node->position);
}

Result<OperatorStageSpec> MakeFilterProjectStage(const LogicalPtr& project, const LogicalPtr& filter) {
  const CalcSpec spec{std::get<FilterSpec>(filter->spec).predicate, std::get<ProjectSpec>(project->spec).expressions};
  return StageOf(project, [=] { return Calc::Make(spec, filter->inputs[0]->schema, project->schema); });
}

}  // namespace tidemill
