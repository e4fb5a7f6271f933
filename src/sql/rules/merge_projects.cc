#include "sql/expression_factory.h"
#include "sql/node_factory.h"
#include "sql/rules/rules.h"

namespace tidemill {
namespace {

// A merged expression may be this large; beyond it two steps are kept.
constexpr int kMergedSizeMax = 2000;

bool IsTrivial(const Expression& e) {
  return e.kind == Expression::Kind::kColumn || e.kind == Expression::Kind::kLiteral;
}

void CountColumns(const Expression& e, std::vector<int>& counts) {
  if (e.kind == Expression::Kind::kColumn) ++counts[e.column];
  for (const ExpressionPtr& arg : e.args) CountColumns(*arg, counts);
}

bool IsIdentity(const LogicalNode& project) {
  const auto& expressions = std::get<ProjectSpec>(project.spec).expressions;
  const LogicalNode& input = *project.inputs[0];
  if (static_cast<int>(expressions.size()) != input.schema.num_fields()) return false;
  for (size_t i = 0; i < expressions.size(); ++i) {
    if (expressions[i]->kind != Expression::Kind::kColumn || expressions[i]->column != static_cast<int>(i))
      return false;
  }
  return project.schema == input.schema;
}

// Whether the upper project may compute the lower one's expressions itself: none of them twice, unless it costs
// nothing.
bool CanMerge(const ProjectSpec& upper, const ProjectSpec& lower, bool lower_is_shared) {
  std::vector<int> uses(lower.expressions.size(), 0);
  for (const ExpressionPtr& e : upper.expressions) CountColumns(*e, uses);
  int size = 0;
  for (size_t i = 0; i < uses.size(); ++i) {
    const Expression& e = *lower.expressions[i];
    if (uses[i] == 0 || IsTrivial(e)) continue;
    if (lower_is_shared || uses[i] > 1) return false;
    size += ExpressionSize(e);
  }
  for (const ExpressionPtr& e : upper.expressions) size += ExpressionSize(*e);
  return size <= kMergedSizeMax;
}

}  // namespace

PlanRoots MergeProjects(const PlanRoots& roots) {
  // Consumers of nodes as they were, carried over to what became of them.
  std::unordered_map<const LogicalNode*, int> counts = CountConsumers(roots);
  std::unordered_map<const LogicalNode*, LogicalPtr> done;
  std::unordered_map<const LogicalNode*, int> new_counts;
  for (const LogicalPtr& original : InputsFirst(roots)) {
    std::vector<LogicalPtr> inputs;
    for (const LogicalPtr& input : original->inputs) inputs.push_back(done.at(input.get()));
    LogicalPtr node = WithInputs(original, std::move(inputs));
    for (bool changed = true; changed;) {
      changed = false;
      if (auto* upper = std::get_if<ProjectSpec>(&node->spec)) {
        const LogicalPtr& input = node->inputs[0];
        const bool shared = new_counts[input.get()] > 1;
        if (auto* lower = std::get_if<ProjectSpec>(&input->spec); lower && CanMerge(*upper, *lower, shared)) {
          std::vector<ExpressionPtr> merged;
          for (const ExpressionPtr& e : upper->expressions) merged.push_back(SubstituteColumns(e, lower->expressions));
          node = MakeProject(input->inputs[0], std::move(merged), node->schema.names(), node->name, node->position);
          changed = true;
        } else if (auto* values = std::get_if<ValuesSpec>(&input->spec); values && !shared) {
          std::vector<std::vector<ExpressionPtr>> rows;
          for (const auto& row : values->rows) {
            std::vector<ExpressionPtr> mapped;
            for (const ExpressionPtr& e : upper->expressions) mapped.push_back(SubstituteColumns(e, row));
            rows.push_back(std::move(mapped));
          }
          node = MakeValues(std::move(rows), node->schema.fields(), node->name, node->position);
          changed = true;
        } else if (IsIdentity(*node)) {
          --new_counts[input.get()];  // this project was one of them
          node = LogicalPtr(input);
        }
      } else if (auto* filter = std::get_if<FilterSpec>(&node->spec)) {
        const LogicalPtr& input = node->inputs[0];
        auto* below = std::get_if<FilterSpec>(&input->spec);
        if (below && new_counts[input.get()] <= 1) {
          ExpressionPtr both =
              MakeLogical(Expression::Kind::kAnd, {below->predicate, filter->predicate}, node->position);
          node = MakeFilter(input->inputs[0], std::move(both), node->name, node->position);
          changed = true;
        }
      }
    }
    new_counts[node.get()] += counts[original.get()];
    done.emplace(original.get(), std::move(node));
  }
  PlanRoots out;
  for (const LogicalPtr& root : roots) out.push_back(done.at(root.get()));
  return out;
}

}  // namespace tidemill
