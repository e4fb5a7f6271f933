#include <fmt/format.h>

#include "sql/errors.h"
#include "sql/node_factory.h"
#include "sql/rules/rules.h"

namespace tidemill {
namespace {

// The node whose rows become updates.
const LogicalNode& OriginOfUpdates(const LogicalNode& node) {
  for (const LogicalPtr& input : node.inputs) {
    if (input->changelog != ChangelogMode::kAppend) return OriginOfUpdates(*input);
  }
  return node;
}

std::string OriginNote(const LogicalNode& node) {
  const LogicalNode& origin = OriginOfUpdates(node);
  return fmt::format("updates come from {} at {}:{}", NodeKindName(origin.spec), origin.position.line,
                     origin.position.column);
}

const char* AppendOnlyName(const LogicalSpec& spec) {
  if (std::holds_alternative<OverSpec>(spec)) return "OVER";
  if (std::holds_alternative<WindowTvfSpec>(spec) || std::holds_alternative<WindowAggregateSpec>(spec))
    return "a window";
  if (std::holds_alternative<TemporalJoinSpec>(spec)) return "a temporal join";
  if (std::holds_alternative<PredictSpec>(spec)) return "ML_PREDICT";
  return nullptr;
}

}  // namespace

PlanRoots MarkRetractions(const PlanRoots& roots) {
  return RewritePlan(roots, [](const LogicalPtr& node) -> LogicalPtr {
    const auto* group = std::get_if<GroupAggregateSpec>(&node->spec);
    if (!group || node->inputs[0]->changelog == ChangelogMode::kAppend) return node;
    auto copy = std::make_shared<LogicalNode>(*node);
    for (AggregateCall& call : std::get<GroupAggregateSpec>(copy->spec).calls) call.resolved.retracting = true;
    return copy;
  });
}

Status CheckChangelog(const PlanRoots& roots, PlannerEnvironment& environment) {
  for (const LogicalPtr& node : InputsFirst(roots)) {
    bool updating = false;
    for (const LogicalPtr& input : node->inputs) updating = updating || input->changelog != ChangelogMode::kAppend;
    if (!updating) continue;
    if (const char* name = AppendOnlyName(node->spec)) {
      return Status(kChangelogMismatch, fmt::format("{} takes only inserts, its input is updated", name))
          .At(node->position)
          .WithNote(OriginNote(*node));
    }
    if (const auto* sink = std::get_if<SinkSpec>(&node->spec)) {
      if (!sink->table->primary_key.empty() || environment.TakesChangelog(*sink->table)) continue;
      return Status(kChangelogMismatch,
                    fmt::format("'{}' has no PRIMARY KEY: it can't take updates", sink->table->name))
          .At(node->position)
          .WithHint("declare PRIMARY KEY (...) NOT ENFORCED on the table, or aggregate by a window")
          .WithNote(OriginNote(*node));
    }
  }
  return Status::OK();
}

}  // namespace tidemill
