#include "sql/rules/plan_graph.h"

#include <unordered_set>

#include "sql/node_factory.h"

namespace tidemill {
namespace {

void Visit(const LogicalPtr& node, std::unordered_set<const LogicalNode*>& seen, std::vector<LogicalPtr>& out) {
  if (!seen.insert(node.get()).second) return;
  for (const LogicalPtr& input : node->inputs) Visit(input, seen, out);
  out.push_back(node);
}

using Map = std::function<ExpressionPtr(const ExpressionPtr&)>;

bool MapList(std::vector<ExpressionPtr>& list, const Map& map) {
  bool changed = false;
  for (ExpressionPtr& e : list) {
    ExpressionPtr mapped = map(e);
    changed = changed || mapped != e;
    e = std::move(mapped);
  }
  return changed;
}

bool MapOne(ExpressionPtr& e, const Map& map) {
  if (!e) return false;
  ExpressionPtr mapped = map(e);
  const bool changed = mapped != e;
  e = std::move(mapped);
  return changed;
}

bool MapCall(AggregateCall& call, const Map& map) {
  const bool args = MapList(call.args, map);
  return MapOne(call.filter, map) || args;
}

struct SpecMapper {
  const Map& map;
  bool operator()(ScanSpec&) const { return false; }
  bool operator()(ValuesSpec& s) const {
    bool changed = false;
    for (auto& row : s.rows) changed = MapList(row, map) || changed;
    return changed;
  }
  bool operator()(ProjectSpec& s) const { return MapList(s.expressions, map); }
  bool operator()(FilterSpec& s) const { return MapOne(s.predicate, map); }
  bool operator()(WindowTvfSpec&) const { return false; }
  bool operator()(WindowAggregateSpec& s) const { return Calls(s.calls); }
  bool operator()(GroupAggregateSpec& s) const { return Calls(s.calls); }
  bool operator()(OverSpec& s) const {
    bool changed = false;
    for (OverCall& call : s.calls) changed = MapCall(call.call, map) || changed;
    return changed;
  }
  bool operator()(UnionSpec&) const { return false; }
  bool operator()(TemporalJoinSpec& s) const { return MapOne(s.condition, map); }
  bool operator()(PredictSpec&) const { return false; }
  bool operator()(JournalSpec&) const { return false; }
  bool operator()(SinkSpec&) const { return false; }
  bool Calls(std::vector<AggregateCall>& calls) const {
    bool changed = false;
    for (AggregateCall& call : calls) changed = MapCall(call, map) || changed;
    return changed;
  }
};

}  // namespace

std::vector<LogicalPtr> InputsFirst(const PlanRoots& roots) {
  std::unordered_set<const LogicalNode*> seen;
  std::vector<LogicalPtr> out;
  for (const LogicalPtr& root : roots) Visit(root, seen, out);
  return out;
}

std::unordered_map<const LogicalNode*, int> CountConsumers(const PlanRoots& roots) {
  std::unordered_map<const LogicalNode*, int> counts;
  for (const LogicalPtr& root : roots) ++counts[root.get()];
  for (const LogicalPtr& node : InputsFirst(roots)) {
    for (const LogicalPtr& input : node->inputs) ++counts[input.get()];
  }
  return counts;
}

Result<PlanRoots> TryRewritePlan(const PlanRoots& roots,
                                 const std::function<Result<LogicalPtr>(const LogicalPtr&)>& rewrite) {
  std::unordered_map<const LogicalNode*, LogicalPtr> done;
  for (const LogicalPtr& node : InputsFirst(roots)) {
    std::vector<LogicalPtr> inputs;
    for (const LogicalPtr& input : node->inputs) inputs.push_back(done.at(input.get()));
    TM_ASSIGN_OR_RETURN(LogicalPtr rewritten, rewrite(WithInputs(node, std::move(inputs))));
    done.emplace(node.get(), std::move(rewritten));
  }
  PlanRoots out;
  for (const LogicalPtr& root : roots) out.push_back(done.at(root.get()));
  return out;
}

PlanRoots RewritePlan(const PlanRoots& roots, const std::function<LogicalPtr(const LogicalPtr&)>& rewrite) {
  Result<PlanRoots> out =
      TryRewritePlan(roots, [&](const LogicalPtr& node) -> Result<LogicalPtr> { return rewrite(node); });
  TM_CHECK(out.ok());
  return *std::move(out);
}

LogicalPtr MapExpressions(const LogicalPtr& node, const std::function<ExpressionPtr(const ExpressionPtr&)>& map) {
  LogicalSpec spec = node->spec;
  if (!std::visit(SpecMapper{map}, spec)) return node;
  auto copy = std::make_shared<LogicalNode>(*node);
  copy->spec = std::move(spec);
  return copy;
}

}  // namespace tidemill
