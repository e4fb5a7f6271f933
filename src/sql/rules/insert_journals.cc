#include <unordered_set>

#include "sql/node_factory.h"
#include "sql/rules/rules.h"

namespace tidemill {
namespace {

using Deterministic = std::vector<bool>;

// Which output columns are functions of the input data alone.
class DeterminismAnalysis {
 public:
  explicit DeterminismAnalysis(const PlanRoots& roots) {
    for (const LogicalPtr& node : InputsFirst(roots)) columns_.emplace(node.get(), Analyse(*node));
  }
  const Deterministic& Of(const LogicalNode& node) const { return columns_.at(&node); }

 private:
  static bool Holds(const ExpressionPtr& e, const Deterministic& input) {
    if (!e) return true;
    if (!e->IsDeterministic()) return false;
    for (int column : ColumnsOf(*e)) {
      if (!input[column]) return false;
    }
    return true;
  }
  static bool Holds(const AggregateCall& call, const Deterministic& input) {
    for (const ExpressionPtr& arg : call.args) {
      if (!Holds(arg, input)) return false;
    }
    return Holds(call.filter, input);
  }

  Deterministic Analyse(const LogicalNode& node) const {
    Deterministic out(node.schema.num_fields(), true);
    auto input = [&](size_t i) -> const Deterministic& { return columns_.at(node.inputs[i].get()); };
    auto through = [&] { std::copy(input(0).begin(), input(0).end(), out.begin()); };
    if (const auto* scan = std::get_if<ScanSpec>(&node.spec)) {
      for (size_t i = 0; i < scan->columns.size(); ++i) {
        const ColumnDefinition& column = scan->table->columns[scan->columns[i]];
        out[i] = !column.computed || column.computed->IsDeterministic();
      }
    } else if (const auto* values = std::get_if<ValuesSpec>(&node.spec)) {
      for (const auto& row : values->rows) {
        for (size_t i = 0; i < row.size(); ++i) out[i] = out[i] && row[i]->IsDeterministic();
      }
    } else if (const auto* project = std::get_if<ProjectSpec>(&node.spec)) {
      for (size_t i = 0; i < out.size(); ++i) out[i] = Holds(project->expressions[i], input(0));
    } else if (const auto* over = std::get_if<OverSpec>(&node.spec)) {
      through();
      for (size_t i = 0; i < over->calls.size(); ++i) {
        out[input(0).size() + i] = over->emit == OverEmit::kOnWatermark && Holds(over->calls[i].call, input(0));
      }
    } else if (std::holds_alternative<PredictSpec>(node.spec)) {
      through();
      std::fill(out.begin() + static_cast<int64_t>(input(0).size()), out.end(), false);
    } else if (const auto* window = std::get_if<WindowAggregateSpec>(&node.spec)) {
      Grouped(window->keys, window->calls, input(0), out);
    } else if (const auto* group = std::get_if<GroupAggregateSpec>(&node.spec)) {
      Grouped(group->keys, group->calls, input(0), out);
    } else if (std::holds_alternative<UnionSpec>(node.spec)) {
      for (size_t k = 0; k < node.inputs.size(); ++k) {
        for (size_t i = 0; i < out.size(); ++i) out[i] = out[i] && input(k)[i];
      }
    } else if (const auto* join = std::get_if<TemporalJoinSpec>(&node.spec)) {
      through();
      if (join->emit == OverEmit::kOnWatermark) {
        std::copy(input(1).begin(), input(1).end(), out.begin() + static_cast<int64_t>(input(0).size()));
      } else {
        std::fill(out.begin() + static_cast<int64_t>(input(0).size()), out.end(), false);
      }
    } else if (!node.inputs.empty()) {
      through();
    }
    return out;
  }

  static void Grouped(const std::vector<int>& keys, const std::vector<AggregateCall>& calls, const Deterministic& input,
                      Deterministic& out) {
    for (size_t k = 0; k < keys.size(); ++k) out[k] = input[keys[k]];
    for (size_t c = 0; c < calls.size(); ++c) out[keys.size() + c] = Holds(calls[c], input);
  }

  std::unordered_map<const LogicalNode*, Deterministic> columns_;
};

bool IsNonDeterministic(const LogicalNode& node) {
  if (const auto* over = std::get_if<OverSpec>(&node.spec)) return over->emit == OverEmit::kOnArrival;
  if (const auto* join = std::get_if<TemporalJoinSpec>(&node.spec)) return join->emit == OverEmit::kOnArrival;
  return std::holds_alternative<PredictSpec>(node.spec);
}

// The first non-deterministic nodes on all ways from `node` toward the sources.
void MarkTopmost(const LogicalPtr& node, std::unordered_set<const LogicalNode*>& seen,
                 std::unordered_set<const LogicalNode*>& marked) {
  if (!seen.insert(node.get()).second) return;
  if (IsNonDeterministic(*node)) {
    marked.insert(node.get());
    return;
  }
  for (const LogicalPtr& input : node->inputs) MarkTopmost(input, seen, marked);
}

}  // namespace

PlanRoots InsertJournals(const PlanRoots& roots, PlannerEnvironment& environment) {
  std::unordered_set<const LogicalNode*> seen;
  std::unordered_set<const LogicalNode*> marked;
  for (const LogicalPtr& root : roots) {
    const auto* sink = std::get_if<SinkSpec>(&root->spec);
    if (sink && environment.SendsAtOnce(*sink->table)) MarkTopmost(root, seen, marked);
  }
  if (marked.empty()) return roots;
  const DeterminismAnalysis determinism(roots);
  std::unordered_map<const LogicalNode*, LogicalPtr> done;
  for (const LogicalPtr& node : InputsFirst(roots)) {
    std::vector<LogicalPtr> inputs;
    for (const LogicalPtr& input : node->inputs) inputs.push_back(done.at(input.get()));
    LogicalPtr rebuilt = WithInputs(node, std::move(inputs));
    if (marked.contains(node.get())) {
      JournalSpec journal;
      const Deterministic& columns = determinism.Of(*node);
      for (size_t i = 0; i < columns.size(); ++i) {
        if (columns[i]) journal.deterministic_columns.push_back(static_cast<int>(i));
      }
      rebuilt = MakeJournal(rebuilt, std::move(journal), rebuilt->name, rebuilt->position);
    }
    done.emplace(node.get(), std::move(rebuilt));
  }
  PlanRoots out;
  for (const LogicalPtr& root : roots) out.push_back(done.at(root.get()));
  return out;
}

}  // namespace tidemill
