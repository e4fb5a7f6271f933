#include <algorithm>
#include <set>

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

// Changes by key without the row from before pass where each row is looked at alone and the key stays.
bool PassesUpserts(const LogicalSpec& spec) {
  return std::holds_alternative<ProjectSpec>(spec) || std::holds_alternative<JournalSpec>(spec) ||
         std::holds_alternative<SinkSpec>(spec) || std::holds_alternative<TemporalJoinSpec>(spec);
}

// The columns of `node` that hold the key of its upserts; empty when it is not all there.
std::vector<int> UpsertKey(const LogicalNode& node) {
  std::vector<int> key;
  if (const auto* scan = std::get_if<ScanSpec>(&node.spec)) {
    for (int column : scan->table->primary_key) {
      const auto found = std::find(scan->columns.begin(), scan->columns.end(), column);
      if (found == scan->columns.end()) return {};
      key.push_back(static_cast<int>(found - scan->columns.begin()));
    }
    return key;
  }
  if (node.inputs.size() != 1) return {};
  const auto* project = std::get_if<ProjectSpec>(&node.spec);
  const std::vector<int> below = UpsertKey(*node.inputs[0]);
  if (project == nullptr) return below;
  for (int column : below) {
    const auto found =
        std::find_if(project->expressions.begin(), project->expressions.end(), [&](const ExpressionPtr& expression) {
          return expression->kind == Expression::Kind::kColumn && expression->column == column;
        });
    if (found == project->expressions.end()) return {};
    key.push_back(static_cast<int>(found - project->expressions.begin()));
  }
  return key;
}

Status CheckUpserts(const LogicalNode& node, PlannerEnvironment& environment) {
  const auto refuse = [&](std::string what) {
    return Status(kChangelogMismatch, std::move(what))
        .At(node.position)
        .WithNote(OriginNote(node))
        .WithHint("only SELECT of columns into a sink with the same PRIMARY KEY, and a temporal join's right side");
  };
  if (!PassesUpserts(node.spec)) {
    return refuse(fmt::format("{} can't take changes by key, which come without the row from before (not there yet)",
                              NodeKindName(node.spec)));
  }
  const auto* sink = std::get_if<SinkSpec>(&node.spec);
  if (sink != nullptr && environment.HoldsChanges(*sink->table)) {
    return refuse(
        fmt::format("'{}' takes changes with the row from before, and changes by key come without (not there yet)",
                    sink->table->name));
  }
  if (sink == nullptr || sink->table->primary_key.empty()) return Status::OK();
  std::set<int> written;
  for (int column : UpsertKey(*node.inputs[0])) written.insert(sink->columns[column]);
  const std::set<int> key(sink->table->primary_key.begin(), sink->table->primary_key.end());
  if (written == key) return Status::OK();
  return refuse(fmt::format("the PRIMARY KEY of '{}' is not the key of the changes written to it", sink->table->name));
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
    const bool joins_versions = std::holds_alternative<TemporalJoinSpec>(node->spec);
    for (size_t i = 0; i < node->inputs.size(); ++i) {
      const ChangelogMode mode = node->inputs[i]->changelog;
      if (mode == ChangelogMode::kUpsert) TM_RETURN_IF_ERROR(CheckUpserts(*node, environment));
      const bool versions = joins_versions && i == 1;  // of a row from before it takes no notice
      updating = updating || (mode != ChangelogMode::kAppend && !versions);
    }
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
