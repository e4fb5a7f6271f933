#include <algorithm>

#include <fmt/format.h>

#include "sql/binder/binder.h"
#include "sql/errors.h"

namespace tidemill {
namespace {

// The name of an item without AS: the column's own, or EXPR$n as in Flink.
std::string NameOf(const ast::SelectItem& item, size_t index) {
  if (item.alias) return item.alias->text;
  if (item.expr->kind == ast::Expr::Kind::kName || item.expr->kind == ast::Expr::Kind::kField)
    return item.expr->names.back().text;
  return fmt::format("EXPR${}", index);
}

}  // namespace

Result<Relation> Binder::BindSelect(const ast::Body& body, const CommonTableScope* scope) {
  const ast::Select& select = body.select;
  if (!select.from) return BindSelectWithoutFrom(body);
  SelectState state;
  state.select = &select;
  state.position = body.position;
  TM_ASSIGN_OR_RETURN(state.input, BindFrom(*select.from, scope));
  for (const ast::Hint& hint : select.hints) {
    static constexpr std::string_view kIgnored[] = {"BROADCAST", "SHUFFLE_HASH", "SHUFFLE_MERGE", "NEST_LOOP"};
    if (std::find(std::begin(kIgnored), std::end(kIgnored), hint.name) == std::end(kIgnored)) {
      return Status(kUnsupportedSyntax, fmt::format("hint {} is not supported here", hint.name)).At(hint.position);
    }
  }
  if (select.where) {
    BindContext context;
    context.relation = &state.input;
    context.clause = "WHERE";
    TM_ASSIGN_OR_RETURN(ExpressionPtr predicate, ExpressionBinder(context).BindCondition(*select.where));
    state.input.node = MakeFilter(state.input.node, std::move(predicate), hint_, select.where->position);
  }
  state.aggregated = select.has_group_by || (select.having && ContainsAggregate(*select.having));
  for (const ast::SelectItem& item : select.items) state.aggregated = state.aggregated || ContainsAggregate(*item.expr);
  if (select.having && !state.aggregated) {
    return Status(kInvalidAggregate, "HAVING needs GROUP BY or an aggregate")
        .At(select.having->position)
        .WithHint("WHERE filters rows");
  }
  if (state.aggregated) TM_RETURN_IF_ERROR(BindGroupBy(state));
  TM_RETURN_IF_ERROR(BindSelectItems(state));
  if (state.aggregated) TM_RETURN_IF_ERROR(ApplyAggregate(state));
  if (!state.overs.empty()) TM_RETURN_IF_ERROR(ApplyOver(state));
  Relation relation =
      MakeRelation(MakeProject(state.input.node, std::move(state.outputs), state.names, hint_, body.position), "");
  // Names that stand twice keep their text for the query around, which then finds them ambiguous.
  for (size_t i = 0; i < state.names.size(); ++i) relation.columns[i].name = state.names[i];
  if (select.distinct) {
    GroupAggregateSpec distinct;
    distinct.state_ttl_ms = StateTtlMs();
    for (int i = 0; i < relation.node->schema.num_fields(); ++i) distinct.keys.push_back(i);
    relation.node = MakeGroupAggregate(relation.node, std::move(distinct), hint_, select.distinct_position);
  }
  return relation;
}

Status Binder::BindSelectItems(SelectState& state) {
  BindContext context;
  context.relation = &state.input;
  context.clause = "SELECT";
  context.aggregates = state.aggregated ? &state.aggregates : nullptr;
  context.overs = &state.overs;
  context.windows = &state.select->windows;
  context.group_window = state.group_window ? &*state.group_window : nullptr;
  ExpressionBinder binder(context);
  size_t unnamed = 0;
  for (const ast::SelectItem& item : state.select->items) {
    if (item.expr->kind == ast::Expr::Kind::kStar) {
      TM_ASSIGN_OR_RETURN(std::vector<int> columns, ResolveStar(state.input, *item.expr));
      for (int column : columns) {
        state.outputs.push_back(MakeColumn(column, state.input.columns[column].type, item.expr->position));
        state.names.push_back(state.input.columns[column].name);
      }
      continue;
    }
    TM_ASSIGN_OR_RETURN(ExpressionPtr e, binder.Bind(*item.expr));
    if (e->type.kind() == TypeKind::kNull) e = MakeNullLiteral(DataType(TypeKind::kNull), e->position);
    state.names.push_back(NameOf(item, unnamed));
    if (!item.alias && item.expr->kind != ast::Expr::Kind::kName && item.expr->kind != ast::Expr::Kind::kField)
      ++unnamed;
    state.outputs.push_back(std::move(e));
  }
  if (state.select->having) {
    context.clause = "HAVING";
    context.overs = nullptr;
    TM_ASSIGN_OR_RETURN(state.having, ExpressionBinder(context).BindCondition(*state.select->having));
  }
  // A window that no OVER names must be right too.
  for (const ast::NamedWindow& window : state.select->windows) {
    BindContext plain = context;
    plain.clause = "WINDOW";
    plain.overs = nullptr;
    ExpressionBinder check(plain);
    for (const ast::ExprPtr& key : window.definition.partition) TM_RETURN_IF_ERROR(check.Bind(*key).status());
    for (const ast::SortItem& order : window.definition.order) TM_RETURN_IF_ERROR(check.Bind(*order.expr).status());
  }
  return Status::OK();
}

Result<Relation> Binder::BindSelectWithoutFrom(const ast::Body& body) {
  const ast::Select& select = body.select;
  if (select.where || select.has_group_by || select.having || select.distinct) {
    const SourcePosition& position = select.where    ? select.where->position
                                     : select.having ? select.having->position
                                                     : body.position;
    return Status(kUnsupportedSyntax, "WHERE, GROUP BY, HAVING and DISTINCT without FROM are not supported")
        .At(position);
  }
  Relation none;
  BindContext context;
  context.relation = &none;
  context.clause = "SELECT without FROM";
  ExpressionBinder binder(context);
  std::vector<ExpressionPtr> row;
  std::vector<Field> fields;
  size_t unnamed = 0;
  for (const ast::SelectItem& item : select.items) {
    if (item.expr->kind == ast::Expr::Kind::kStar)
      return Status(kSyntaxError, "'*' needs FROM").At(item.expr->position);
    TM_ASSIGN_OR_RETURN(ExpressionPtr e, binder.Bind(*item.expr));
    fields.push_back({NameOf(item, unnamed), e->type});
    if (!item.alias) ++unnamed;
    row.push_back(std::move(e));
  }
  return MakeRelation(MakeValues({std::move(row)}, std::move(fields), hint_, body.position), "");
}

}  // namespace tidemill
