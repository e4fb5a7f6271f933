#include <algorithm>

#include "sql/expression_factory.h"
#include "sql/node_factory.h"
#include "sql/rules/rules.h"

namespace tidemill {
namespace {

// An expression of a project is written again into the filter below it when it is this small.
constexpr int kRepeatedSizeMax = 8;

class FilterPusher {
 public:
  explicit FilterPusher(const PlanRoots& roots) : original_counts_(CountConsumers(roots)) {}

  PlanRoots Run(const PlanRoots& roots) {
    std::unordered_map<const LogicalNode*, LogicalPtr> done;
    for (const LogicalPtr& original : InputsFirst(roots)) {
      std::vector<LogicalPtr> inputs;
      for (const LogicalPtr& input : original->inputs) inputs.push_back(done.at(input.get()));
      LogicalPtr node = WithInputs(original, std::move(inputs));
      if (auto* filter = std::get_if<FilterSpec>(&node->spec)) node = Push(node->inputs[0], filter->predicate, *node);
      counts_[node.get()] += original_counts_[original.get()];
      done.emplace(original.get(), std::move(node));
    }
    PlanRoots out;
    for (const LogicalPtr& root : roots) out.push_back(done.at(root.get()));
    return out;
  }

 private:
  bool IsShared(const LogicalPtr& node) const {
    auto it = counts_.find(node.get());
    return it != counts_.end() && it->second > 1;
  }

  // `input` with `predicate` applied as low as may be.
  LogicalPtr Push(const LogicalPtr& input, const ExpressionPtr& predicate, const LogicalNode& origin) {
    auto here = [&](const ExpressionPtr& p) { return p ? MakeFilter(input, p, origin.name, origin.position) : input; };
    if (IsShared(input) || !predicate->IsDeterministic()) return here(predicate);
    if (const auto* project = std::get_if<ProjectSpec>(&input->spec)) {
      for (int column : ColumnsOf(*predicate)) {
        const Expression& e = *project->expressions[column];
        if (!e.IsDeterministic() || ExpressionSize(e) > kRepeatedSizeMax) return here(predicate);
      }
      return WithInputs(input, {Push(input->inputs[0], SubstituteColumns(predicate, project->expressions), origin)});
    }
    if (const auto* filter = std::get_if<FilterSpec>(&input->spec)) {
      return Push(input->inputs[0],
                  MakeLogical(Expression::Kind::kAnd, {filter->predicate, predicate}, origin.position), origin);
    }
    if (std::holds_alternative<UnionSpec>(input->spec)) {
      std::vector<LogicalPtr> inputs;
      for (const LogicalPtr& each : input->inputs) inputs.push_back(Push(each, predicate, origin));
      return WithInputs(input, std::move(inputs));
    }
    // Columns of this node that a condition may read and still hold below it; mapped to the (first) input's columns.
    std::vector<int> mapping(input->schema.num_fields(), -1);
    auto allow = [&](int output, int below) { mapping[output] = below; };
    auto allow_all = [&] {
      for (int i = 0; i < input->inputs[0]->schema.num_fields(); ++i) allow(i, i);
    };
    if (const auto* over = std::get_if<OverSpec>(&input->spec)) {
      for (int column : over->partition_columns) allow(column, column);
    } else if (const auto* tvf = std::get_if<WindowTvfSpec>(&input->spec)) {
      if (tvf->window.kind == WindowKind::kSession) {
        for (int column : tvf->window.partition_columns) allow(column, column);
      } else {
        allow_all();
      }
    } else if (std::holds_alternative<PredictSpec>(input->spec) ||
               std::holds_alternative<TemporalJoinSpec>(input->spec)) {
      allow_all();
    } else if (const auto* window = std::get_if<WindowAggregateSpec>(&input->spec)) {
      for (size_t k = 0; k < window->keys.size(); ++k) allow(static_cast<int>(k), window->keys[k]);
    } else if (const auto* group = std::get_if<GroupAggregateSpec>(&input->spec)) {
      for (size_t k = 0; k < group->keys.size(); ++k) allow(static_cast<int>(k), group->keys[k]);
    } else {
      return here(predicate);
    }
    std::vector<ExpressionPtr> conjuncts;
    SplitConjuncts(predicate, conjuncts);
    std::vector<ExpressionPtr> below;
    std::vector<ExpressionPtr> above;
    for (const ExpressionPtr& conjunct : conjuncts) {
      const std::vector<int> columns = ColumnsOf(*conjunct);
      const bool fits =
          !columns.empty() && std::all_of(columns.begin(), columns.end(), [&](int c) { return mapping[c] >= 0; });
      (fits ? below : above).push_back(fits ? RemapColumns(conjunct, mapping) : conjunct);
    }
    if (below.empty()) return here(predicate);
    std::vector<LogicalPtr> inputs = input->inputs;
    inputs[0] = Push(inputs[0], JoinConjuncts(std::move(below)), origin);
    LogicalPtr node = WithInputs(input, std::move(inputs));
    ExpressionPtr rest = JoinConjuncts(std::move(above));
    return rest ? MakeFilter(std::move(node), std::move(rest), origin.name, origin.position) : node;
  }

  std::unordered_map<const LogicalNode*, int> original_counts_;
  std::unordered_map<const LogicalNode*, int> counts_;  // of the rewritten nodes
};

}  // namespace

PlanRoots PushFilters(const PlanRoots& roots) { return FilterPusher(roots).Run(roots); }

}  // namespace tidemill
