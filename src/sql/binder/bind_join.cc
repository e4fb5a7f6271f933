#include <algorithm>

#include <fmt/format.h>

#include "sql/binder/binder.h"
#include "sql/errors.h"

namespace tidemill {
namespace {

using ast::TableRef;

const char* JoinName(TableRef::Join join) {
  switch (join) {
    case TableRef::Join::kRight:
      return "RIGHT JOIN";
    case TableRef::Join::kFull:
      return "FULL JOIN";
    case TableRef::Join::kCross:
      return "CROSS JOIN";
    case TableRef::Join::kComma:
      return "a join by comma";
    case TableRef::Join::kLeft:
      return "LEFT JOIN";
    default:
      return "JOIN";
  }
}

bool ReadsOnly(const Expression& e, int from, int to) {
  std::vector<int> columns = ColumnsOf(e);
  return std::all_of(columns.begin(), columns.end(), [&](int c) { return c >= from && c < to; });
}

}  // namespace

// l JOIN t FOR SYSTEM_TIME AS OF l.ts ON ...: the one join there is so far.
Result<Relation> Binder::BindJoin(const TableRef& join, const CommonTableScope* scope) {
  const TableRef& right_ref = *join.right;
  if (right_ref.kind != TableRef::Kind::kTable || !right_ref.system_time) {
    return Status(kUnsupportedSyntax,
                  fmt::format("{} without FOR SYSTEM_TIME AS OF is not supported", JoinName(join.join)))
        .At(join.position)
        .WithHint("JOIN t FOR SYSTEM_TIME AS OF l.ts ON l.k = t.k joins the version of that time");
  }
  if (join.join != TableRef::Join::kInner && join.join != TableRef::Join::kLeft) {
    return Status(kInvalidJoin, fmt::format("{} with FOR SYSTEM_TIME AS OF: only INNER and LEFT", JoinName(join.join)))
        .At(join.position);
  }
  if (!join.on) return Status(kInvalidJoin, "a temporal join needs ON").At(join.position);
  TM_ASSIGN_OR_RETURN(Relation left, BindFrom(*join.left, scope));
  const ast::Name& name = right_ref.names[0];
  TablePtr table = catalog_.FindTable(name.text);
  if (!table) {
    if (catalog_.FindView(name.text))
      return Status(kInvalidJoin, "a temporal join with a view is not supported")
          .At(name.position)
          .WithHint("join the table below it");
    return TableNotFound(name, scope);
  }
  const std::string qualifier = right_ref.alias ? right_ref.alias->text : name.text;
  TM_ASSIGN_OR_RETURN(Relation right, BindScan(table, right_ref.hints, qualifier, name.position));
  TM_ASSIGN_OR_RETURN(right, RenameColumns(std::move(right), right_ref.column_aliases, qualifier, name));
  if (table->primary_key.empty() || table->rowtime_column < 0) {
    return Status(kInvalidJoin,
                  fmt::format("'{}' has no {}", name.text, table->primary_key.empty() ? "PRIMARY KEY" : "WATERMARK"))
        .At(name.position)
        .WithHint("a temporal join needs both: they make the rows versions");
  }

  BindContext left_context;
  left_context.relation = &left;
  left_context.clause = "FOR SYSTEM_TIME AS OF";
  TM_ASSIGN_OR_RETURN(ExpressionPtr time, ExpressionBinder(left_context).Bind(*right_ref.system_time));
  if (time->kind != Expression::Kind::kColumn || time->column != left.node->rowtime_column) {
    return Status(kNoTimeAttribute, "FOR SYSTEM_TIME AS OF takes the event time of the left side")
        .At(right_ref.system_time->position)
        .WithNote(ColumnsNote(left));
  }
  if (left.node->schema.field(time->column).type.kind() != table->columns[table->rowtime_column].type.kind()) {
    return Status(kTypeMismatch, fmt::format("event times differ in type: {} and {}",
                                             left.node->schema.field(time->column).type.ToString(),
                                             table->columns[table->rowtime_column].type.ToString()))
        .At(right_ref.system_time->position);
  }

  const int left_width = static_cast<int>(left.columns.size());
  Relation both = left;
  both.columns.insert(both.columns.end(), right.columns.begin(), right.columns.end());
  BindContext on_context;
  on_context.relation = &both;
  on_context.clause = "ON";
  TM_ASSIGN_OR_RETURN(ExpressionPtr on, ExpressionBinder(on_context).BindCondition(*join.on));
  std::vector<ExpressionPtr> conjuncts;
  SplitConjuncts(on, conjuncts);
  std::vector<ExpressionPtr> left_keys(table->primary_key.size());
  std::vector<ExpressionPtr> residual;
  const int both_width = static_cast<int>(both.columns.size());
  for (const ExpressionPtr& conjunct : conjuncts) {
    bool used = false;
    if (conjunct->kind == Expression::Kind::kCall && conjunct->function->name == "=") {
      for (int side = 0; side < 2 && !used; ++side) {
        const ExpressionPtr& l = conjunct->args[side];
        const Expression* r = conjunct->args[1 - side].get();
        if (ColumnsOf(*l).empty() || !ReadsOnly(*l, 0, left_width) || !ReadsOnly(*r, left_width, both_width)) continue;
        const bool cast = r->kind == Expression::Kind::kCast && r->args[0]->kind == Expression::Kind::kColumn;
        const int column = (cast                                   ? r->args[0]->column
                            : r->kind == Expression::Kind::kColumn ? r->column
                                                                   : -1) -
                           left_width;
        for (size_t k = 0; k < left_keys.size(); ++k) {
          if (table->primary_key[k] != column || left_keys[k]) continue;
          if (cast) {
            return Status(kTypeMismatch,
                          fmt::format("key '{}' of '{}' is {}, found {}", table->columns[column].name, name.text,
                                      table->columns[column].type.WithNullable(true).ToString(),
                                      l->type.WithNullable(true).ToString()))
                .At(conjunct->position)
                .WithHint("cast the left side to the key's type");
          }
          left_keys[k] = l;
          used = true;
          break;
        }
      }
    }
    if (!used) residual.push_back(conjunct);
  }
  for (size_t k = 0; k < left_keys.size(); ++k) {
    if (left_keys[k]) continue;
    return Status(kInvalidJoin, fmt::format("ON must equate '{}', of the PRIMARY KEY of '{}'",
                                            table->columns[table->primary_key[k]].name, name.text))
        .At(join.on->position);
  }

  TemporalJoinSpec spec;
  spec.left_outer = join.join == TableRef::Join::kLeft;
  spec.left_time_column = time->column;
  spec.right_time_column = table->rowtime_column;
  spec.right_keys = table->primary_key;
  if (settings_.GetString("table.exec.temporal-join.emit", "on-watermark") == "on-arrival")
    spec.emit = OverEmit::kOnArrival;
  TM_ASSIGN_OR_RETURN(spec.left_keys, ColumnsFor(left, left_keys, join.position));
  const int shift = static_cast<int>(left.columns.size()) - left_width;
  if (!residual.empty()) {
    std::vector<int> mapping;
    for (int i = 0; i < both_width; ++i) mapping.push_back(i < left_width ? i : i + shift);
    spec.condition = RemapColumns(JoinConjuncts(std::move(residual)), mapping);
  }
  LogicalPtr node = MakeTemporalJoin(left.node, right.node, std::move(spec), hint_, join.position);
  Relation out{node, std::move(left.columns)};
  for (ScopeColumn& column : right.columns) {
    column.type = node->schema.field(static_cast<int>(out.columns.size())).type;
    out.columns.push_back(std::move(column));
  }
  return out;
}

}  // namespace tidemill
