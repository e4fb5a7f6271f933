#include <algorithm>

#include <fmt/format.h>

#include "sql/binder/binder.h"
#include "sql/errors.h"
#include "sql/rules/window_aggregate.h"

namespace tidemill {
namespace {

bool IsGroupWindowCall(const ast::Expr& expr) {
  if (expr.kind != ast::Expr::Kind::kCall || expr.over) return false;
  return expr.op == "TUMBLE" || expr.op == "HOP" || expr.op == "SESSION" || expr.op == "CUMULATE";
}

}  // namespace

Status Binder::BindGroupBy(SelectState& state) {
  BindContext context;
  context.relation = &state.input;
  context.clause = "GROUP BY";
  std::vector<const ast::Expr*> plain;
  for (const ast::ExprPtr& key : state.select->group_by) {
    if (!IsGroupWindowCall(*key)) {
      plain.push_back(key.get());
      continue;
    }
    if (state.group_window) return Status(kInvalidWindow, "GROUP BY has one window").At(key->position);
    TM_RETURN_IF_ERROR(BindGroupWindow(state, *key));
  }
  for (const ast::Expr* key : plain) {
    TM_ASSIGN_OR_RETURN(ExpressionPtr e, ExpressionBinder(context).Bind(*key));
    if (IsLiteral(*e)) {
      return Status(kInvalidAggregate, "GROUP BY a constant")
          .At(key->position)
          .WithHint("name the column: positions are not taken");
    }
    const bool known =
        std::any_of(state.keys.begin(), state.keys.end(), [&](const ExpressionPtr& k) { return k->Equals(*e); });
    if (!known) state.keys.push_back(std::move(e));
  }
  if (state.group_window) {
    // SESSION windows are per group.
    const auto& window = std::get<WindowTvfSpec>(state.input.node->spec).window;
    if (window.kind == WindowKind::kSession) {
      WindowSpec per_group = window;
      LogicalPtr below = state.input.node->inputs[0];
      Relation input = state.input;
      input.node = below;
      input.columns.resize(below->schema.num_fields());
      TM_ASSIGN_OR_RETURN(per_group.partition_columns, ColumnsFor(input, state.keys, state.position));
      if (input.node != below)
        return Status(kUnsupportedSyntax, "GROUP BY SESSION with expressions as keys is not supported")
            .At(state.position);
      state.input.node = MakeWindowTvf(below, std::move(per_group), hint_, state.position);
    }
    for (int column : {state.group_window->start, state.group_window->end, state.group_window->time}) {
      state.keys.push_back(MakeColumn(column, state.input.columns[column].type, state.position));
    }
  }
  return Status::OK();
}

// GROUP BY TUMBLE(ts, size): the same as a TVF below, whose columns have no names.
Status Binder::BindGroupWindow(SelectState& state, const ast::Expr& call) {
  BindContext context;
  context.relation = &state.input;
  context.clause = "GROUP BY";
  ExpressionBinder binder(context);
  GroupWindow window;
  window.kind = call.op;
  for (const ast::ExprPtr& arg : call.args) {
    TM_ASSIGN_OR_RETURN(ExpressionPtr e, binder.Bind(*arg));
    window.args.push_back(std::move(e));
  }
  const size_t wanted = call.op == "HOP" ? 3 : 2;
  if (call.op == "CUMULATE" || window.args.size() != wanted) {
    return Status(kInvalidWindow,
                  call.op == "CUMULATE"
                      ? "GROUP BY CUMULATE is not there: use FROM CUMULATE(TABLE t, ...)"
                      : fmt::format("{} in GROUP BY takes {} arguments, given {}", call.op, wanted, call.args.size()))
        .At(call.position);
  }
  if (window.args[0]->kind != Expression::Kind::kColumn || window.args[0]->column != state.input.node->rowtime_column) {
    return Status(kNoTimeAttribute, fmt::format("{} needs the event time", call.op))
        .At(call.args[0]->position)
        .WithNote(ColumnsNote(state.input));
  }
  std::vector<int64_t> sizes;
  for (size_t i = 1; i < window.args.size(); ++i) {
    std::optional<int64_t> ms = IntervalMillis(*window.args[i]);
    if (!ms || *ms <= 0) {
      return Status(kInvalidWindow, "a window takes a constant positive INTERVAL of days or less")
          .At(call.args[i]->position);
    }
    sizes.push_back(*ms);
  }
  WindowSpec spec;
  spec.kind = call.op == "TUMBLE" ? WindowKind::kTumble : call.op == "HOP" ? WindowKind::kHop : WindowKind::kSession;
  spec.time_column = state.input.node->rowtime_column;
  spec.size_ms = sizes.back();
  spec.slide_ms = call.op == "SESSION" ? 0 : sizes.front();
  const int width = static_cast<int>(state.input.columns.size());
  TM_ASSIGN_OR_RETURN(state.input.node, MakeWindow(state.input, std::move(spec), call.position));
  for (int i = 0; i < 3; ++i) state.input.columns.push_back({"", "", state.input.node->schema.field(width + i).type});
  window.start = width;
  window.end = width + 1;
  window.time = width + 2;
  state.group_window = std::move(window);
  return Status::OK();
}

Result<std::vector<int>> Binder::ColumnsFor(Relation& relation, const std::vector<ExpressionPtr>& expressions,
                                            const SourcePosition& position) {
  std::vector<ExpressionPtr> columns = ColumnsOfNode(*relation.node);
  std::vector<std::string> names = relation.node->schema.names();
  const size_t width = columns.size();
  std::vector<int> out;
  for (const ExpressionPtr& e : expressions) {
    if (e->kind == Expression::Kind::kColumn) {
      out.push_back(e->column);
      continue;
    }
    size_t at = width;
    while (at < columns.size() && !(columns[at]->Equals(*e) && e->IsDeterministic())) ++at;
    if (at == columns.size()) {
      columns.push_back(e);
      names.push_back(fmt::format("$key{}", at - width));
    }
    out.push_back(static_cast<int>(at));
  }
  if (columns.size() > width) {
    for (size_t i = width; i < columns.size(); ++i) relation.columns.push_back({"", "", columns[i]->type});
    relation.node = MakeProject(relation.node, std::move(columns), std::move(names), hint_, position);
  }
  return out;
}

// An expression over the aggregate's input becomes one over its output: grouped expressions and calls to columns,
// anything else refused.
Result<ExpressionPtr> Binder::AfterAggregate(const ExpressionPtr& e, const std::vector<ExpressionPtr>& keys,
                                             size_t num_keys) const {
  for (size_t k = 0; k < keys.size(); ++k) {
    if (keys[k]->Equals(*e)) return MakeColumn(static_cast<int>(k), e->type, e->position);
  }
  if (e->kind == Expression::Kind::kColumn) {
    if (e->column >= kOverPlaceholder) return e;
    if (e->column >= kAggregatePlaceholder) {
      return MakeColumn(static_cast<int>(num_keys) + e->column - kAggregatePlaceholder, e->type, e->position);
    }
    return Status(kInvalidAggregate, "this column is neither in GROUP BY nor inside an aggregate").At(e->position);
  }
  std::shared_ptr<Expression> copy;
  for (size_t i = 0; i < e->args.size(); ++i) {
    TM_ASSIGN_OR_RETURN(ExpressionPtr arg, AfterAggregate(e->args[i], keys, num_keys));
    if (arg == e->args[i]) continue;
    if (!copy) copy = std::make_shared<Expression>(*e);
    copy->args[i] = std::move(arg);
  }
  return copy ? ExpressionPtr(std::move(copy)) : e;
}

// A call that is an item of its own takes the item's name: it names the state as well.
void Binder::NameAggregates(SelectState& state) const {
  std::vector<bool> named(state.aggregates.size(), false);
  for (size_t i = 0; i < state.outputs.size(); ++i) {
    const Expression& e = *state.outputs[i];
    if (e.kind != Expression::Kind::kColumn || e.column < kAggregatePlaceholder || e.column >= kOverPlaceholder)
      continue;
    const size_t call = static_cast<size_t>(e.column - kAggregatePlaceholder);
    if (named[call] || state.names[i].starts_with("EXPR$")) continue;
    state.aggregates[call].name = state.names[i];
    named[call] = true;
  }
}

Status Binder::ApplyAggregate(SelectState& state) {
  NameAggregates(state);
  Relation input = state.input;
  GroupAggregateSpec spec;
  TM_ASSIGN_OR_RETURN(spec.keys, ColumnsFor(input, state.keys, state.select->group_position));
  spec.calls = state.aggregates;
  spec.state_ttl_ms = StateTtlMs();
  // Calls and keys share one name space.
  std::vector<std::string> names;
  for (int key : spec.keys) names.push_back(input.node->schema.field(key).name);
  for (const AggregateCall& call : spec.calls) names.push_back(call.name);
  MakeNamesUnique(names);
  for (size_t i = 0; i < spec.calls.size(); ++i) spec.calls[i].name = names[spec.keys.size() + i];
  const SourcePosition& position = state.select->has_group_by ? state.select->group_position : state.position;
  const size_t num_keys = spec.keys.size();
  TM_ASSIGN_OR_RETURN(LogicalPtr node,
                      RecognizeWindowAggregate(MakeGroupAggregate(input.node, std::move(spec), hint_, position)));
  if (state.having) {
    TM_ASSIGN_OR_RETURN(ExpressionPtr predicate, AfterAggregate(state.having, state.keys, num_keys));
    node = MakeFilter(std::move(node), std::move(predicate), hint_, state.select->having->position);
  }
  for (ExpressionPtr& e : state.outputs) {
    TM_ASSIGN_OR_RETURN(e, AfterAggregate(e, state.keys, num_keys));
  }
  for (PendingOver& over : state.overs) {
    for (ExpressionPtr& arg : over.call.args) {
      TM_ASSIGN_OR_RETURN(arg, AfterAggregate(arg, state.keys, num_keys));
    }
    if (over.call.filter) {
      TM_ASSIGN_OR_RETURN(over.call.filter, AfterAggregate(over.call.filter, state.keys, num_keys));
    }
    for (ExpressionPtr& key : over.partition) {
      TM_ASSIGN_OR_RETURN(key, AfterAggregate(key, state.keys, num_keys));
    }
    TM_ASSIGN_OR_RETURN(over.order, AfterAggregate(over.order, state.keys, num_keys));
  }
  state.input = MakeRelation(std::move(node), "");
  return Status::OK();
}

}  // namespace tidemill
