#include "sql/rules/window_aggregate.h"

#include <algorithm>
#include <optional>

#include <fmt/format.h>

#include "sql/errors.h"
#include "sql/expression_factory.h"
#include "sql/node_factory.h"

namespace tidemill {
namespace {

// What the aggregate reads, written over the TVF's output.
struct Traced {
  LogicalPtr tvf;
  std::vector<ExpressionPtr> columns;     // of the aggregate's input
  std::vector<ExpressionPtr> predicates;  // of the filters between
};

std::optional<Traced> Trace(const LogicalPtr& input) {
  if (std::holds_alternative<WindowTvfSpec>(input->spec)) return Traced{input, ColumnsOfNode(*input), {}};
  if (const auto* filter = std::get_if<FilterSpec>(&input->spec)) {
    std::optional<Traced> traced = Trace(input->inputs[0]);
    if (traced) SplitConjuncts(SubstituteColumns(filter->predicate, traced->columns), traced->predicates);
    return traced;
  }
  if (const auto* project = std::get_if<ProjectSpec>(&input->spec)) {
    std::optional<Traced> traced = Trace(input->inputs[0]);
    if (!traced) return traced;
    std::vector<ExpressionPtr> columns;
    for (const ExpressionPtr& e : project->expressions) columns.push_back(SubstituteColumns(e, traced->columns));
    traced->columns = std::move(columns);
    return traced;
  }
  return std::nullopt;
}

bool ReadsWindow(const Expression& e, int width) {
  std::vector<int> columns = ColumnsOf(e);
  return !columns.empty() && columns.back() >= width;
}

Status ArgumentOfWindow(const AggregateCall& call) {
  return Status(kUnsupportedSyntax, "an aggregate over window_start, window_end or window_time is not supported")
      .At(call.position);
}

}  // namespace

Result<LogicalPtr> RecognizeWindowAggregate(LogicalPtr aggregate) {
  const auto* group = std::get_if<GroupAggregateSpec>(&aggregate->spec);
  if (!group) return aggregate;
  std::optional<Traced> traced = Trace(aggregate->inputs[0]);
  if (!traced) return aggregate;
  const LogicalPtr& below = traced->tvf->inputs[0];
  const int width = below->schema.num_fields();  // window_start, window_end, window_time follow
  bool has_start = false;
  bool has_end = false;
  for (int key : group->keys) {
    const Expression& e = *traced->columns[key];
    has_start = has_start || (e.kind == Expression::Kind::kColumn && e.column == width);
    has_end = has_end || (e.kind == Expression::Kind::kColumn && e.column == width + 1);
  }
  if (!has_start || !has_end) return aggregate;

  // Keys that are expressions move below the window.
  WindowAggregateSpec spec;
  spec.window = std::get<WindowTvfSpec>(traced->tvf->spec).window;
  std::vector<ExpressionPtr> inputs = ColumnsOfNode(*below);
  std::vector<std::string> names = below->schema.names();
  std::vector<int> layout;  // of the output: < 0 is window column -1 - x, otherwise key x
  for (int key : group->keys) {
    const ExpressionPtr& e = traced->columns[key];
    if (e->kind == Expression::Kind::kColumn && e->column >= width) {
      layout.push_back(-1 - (e->column - width));
      continue;
    }
    if (ReadsWindow(*e, width)) {
      return Status(kUnsupportedSyntax,
                    "an expression over window_start, window_end or window_time as a key is not supported")
          .At(e->position);
    }
    int column = e->column;
    if (e->kind != Expression::Kind::kColumn) {
      column = static_cast<int>(inputs.size());
      inputs.push_back(e);
      names.push_back(aggregate->schema.field(static_cast<int>(layout.size())).name);
    }
    layout.push_back(static_cast<int>(spec.keys.size()));
    spec.keys.push_back(column);
  }
  for (const AggregateCall& call : group->calls) {
    AggregateCall moved = call;
    for (ExpressionPtr& arg : moved.args) {
      arg = SubstituteColumns(arg, traced->columns);
      if (ReadsWindow(*arg, width)) return ArgumentOfWindow(call);
    }
    if (moved.filter) {
      moved.filter = SubstituteColumns(moved.filter, traced->columns);
      if (ReadsWindow(*moved.filter, width)) return ArgumentOfWindow(call);
    }
    spec.calls.push_back(std::move(moved));
  }
  if (spec.window.kind == WindowKind::kSession) {
    auto as_set = [](std::vector<int> v) {
      std::sort(v.begin(), v.end());
      return v;
    };
    if (as_set(spec.keys) != as_set(spec.window.partition_columns)) {
      return Status(kInvalidWindow, "PARTITION BY of SESSION and the keys of GROUP BY must be the same columns")
          .At(aggregate->position)
          .WithHint("SESSION(TABLE t PARTITION BY k, ...) with GROUP BY k, window_start, window_end");
    }
  }

  LogicalPtr node = below;
  std::vector<ExpressionPtr> early;
  std::vector<ExpressionPtr> late;
  for (const ExpressionPtr& predicate : traced->predicates)
    (ReadsWindow(*predicate, width) ? late : early).push_back(predicate);
  if (ExpressionPtr predicate = JoinConjuncts(std::move(early)))
    node = MakeFilter(std::move(node), predicate, aggregate->name, predicate->position);
  if (static_cast<int>(inputs.size()) > width) {
    MakeNamesUnique(names);
    node = MakeProject(std::move(node), std::move(inputs), std::move(names), aggregate->name, aggregate->position);
  }
  const int keys = static_cast<int>(spec.keys.size());
  const int calls = static_cast<int>(spec.calls.size());
  const std::vector<int> key_columns = spec.keys;
  node = MakeWindowAggregate(std::move(node), std::move(spec), aggregate->name, aggregate->position);
  if (!late.empty()) {
    // What looks at the window alone, and at keys, holds for all rows of a group: it filters results.
    std::vector<int> mapping(static_cast<size_t>(width) + 3, -1);
    for (int k = 0; k < keys; ++k) {
      if (key_columns[k] < width) mapping[key_columns[k]] = k;
    }
    for (int w = 0; w < 3; ++w) mapping[width + w] = keys + calls + w;
    for (ExpressionPtr& predicate : late) {
      for (int column : ColumnsOf(*predicate)) {
        if (mapping[column] >= 0) continue;
        return Status(kUnsupportedSyntax,
                      "a condition over both a window column and a column that is not a key is not supported")
            .At(predicate->position);
      }
      predicate = RemapColumns(predicate, mapping);
    }
    ExpressionPtr predicate = JoinConjuncts(std::move(late));
    node = MakeFilter(std::move(node), predicate, aggregate->name, predicate->position);
  }
  std::vector<ExpressionPtr> outputs;
  for (size_t i = 0; i < layout.size(); ++i) {
    const int column = layout[i] >= 0 ? layout[i] : keys + calls + (-1 - layout[i]);
    outputs.push_back(MakeColumn(column, node->schema.field(column).type, aggregate->position));
  }
  for (int c = 0; c < calls; ++c)
    outputs.push_back(MakeColumn(keys + c, node->schema.field(keys + c).type, aggregate->position));
  return MakeProject(std::move(node), std::move(outputs), aggregate->schema.names(), aggregate->name,
                     aggregate->position);
}

}  // namespace tidemill
