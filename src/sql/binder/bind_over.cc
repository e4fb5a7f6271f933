#include <algorithm>

#include <fmt/format.h>

#include "sql/binder/binder.h"
#include "sql/errors.h"

namespace tidemill {
namespace {

ExpressionPtr ReplacePlaceholders(const ExpressionPtr& e, const std::vector<int>& columns) {
  if (e->kind == Expression::Kind::kColumn) {
    return e->column >= kOverPlaceholder ? MakeColumn(columns[e->column - kOverPlaceholder], e->type, e->position) : e;
  }
  std::shared_ptr<Expression> copy;
  for (size_t i = 0; i < e->args.size(); ++i) {
    ExpressionPtr arg = ReplacePlaceholders(e->args[i], columns);
    if (arg == e->args[i]) continue;
    if (!copy) copy = std::make_shared<Expression>(*e);
    copy->args[i] = std::move(arg);
  }
  return copy ? ExpressionPtr(std::move(copy)) : e;
}

// The calls of one node: same PARTITION BY and ORDER BY.
struct OverGroup {
  std::vector<int> partition;
  int order = -1;
  SourcePosition position;
  std::vector<size_t> calls;
};

}  // namespace

// OVER calls become a chain of nodes, one for each distinct (partition, order), in the order in which they stand.
Status Binder::ApplyOver(SelectState& state) {
  for (size_t i = 0; i < state.outputs.size(); ++i) {
    const Expression& e = *state.outputs[i];
    if (e.kind != Expression::Kind::kColumn || e.column < kOverPlaceholder || state.names[i].starts_with("EXPR$"))
      continue;
    state.overs[e.column - kOverPlaceholder].call.name = state.names[i];
  }
  std::vector<ExpressionPtr> keys;
  for (const PendingOver& over : state.overs) keys.insert(keys.end(), over.partition.begin(), over.partition.end());
  TM_ASSIGN_OR_RETURN(std::vector<int> key_columns, ColumnsFor(state.input, keys, state.position));
  std::vector<OverGroup> groups;
  size_t next_key = 0;
  for (size_t i = 0; i < state.overs.size(); ++i) {
    const PendingOver& over = state.overs[i];
    OverGroup group;
    for (size_t k = 0; k < over.partition.size(); ++k) {
      const int column = key_columns[next_key++];
      if (std::find(group.partition.begin(), group.partition.end(), column) == group.partition.end())
        group.partition.push_back(column);
    }
    const LogicalNode& input = *state.input.node;
    if (over.order->kind != Expression::Kind::kColumn || over.order->column != input.rowtime_column) {
      Status status = Status(kNoTimeAttribute, fmt::format("ORDER BY {} of OVER is not the event time",
                                                           over.order->ToString(input.schema.names())))
                          .At(over.order->position);
      return input.rowtime_column >= 0
                 ? status.WithHint(fmt::format("the event time is '{}'", input.schema.field(input.rowtime_column).name))
                 : status.WithNote("no column here is a time attribute");
    }
    group.order = over.order->column;
    group.position = over.position;
    auto same = std::find_if(groups.begin(), groups.end(), [&](const OverGroup& g) {
      return g.partition == group.partition && g.order == group.order;
    });
    if (same == groups.end()) same = groups.insert(groups.end(), std::move(group));
    same->calls.push_back(i);
  }
  std::vector<int> columns(state.overs.size());
  std::vector<std::string> taken = state.input.node->schema.names();
  for (OverGroup& group : groups) {
    OverSpec spec;
    spec.partition_columns = group.partition;
    spec.time_column = group.order;
    spec.emit = EmitsOnArrival() ? OverEmit::kOnArrival : OverEmit::kOnWatermark;
    int column = state.input.node->schema.num_fields();
    for (size_t i : group.calls) {
      taken.push_back(state.overs[i].call.name);
      MakeNamesUnique(taken);
      state.overs[i].call.name = taken.back();
      columns[i] = column++;
      spec.calls.push_back({state.overs[i].call, state.overs[i].frame});
    }
    state.input.node = MakeOver(state.input.node, std::move(spec), hint_, group.position);
  }
  for (ExpressionPtr& e : state.outputs) e = ReplacePlaceholders(e, columns);
  return Status::OK();
}

}  // namespace tidemill
