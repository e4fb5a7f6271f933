#include <fmt/format.h>

#include "sql/binder/binder.h"
#include "sql/errors.h"
#include "sql/parser/parser.h"

namespace tidemill {

using ast::Body;

Result<LogicalPtr> Binder::BindQueryStatement(const ast::Query& query) {
  hint_ = "query";
  TM_ASSIGN_OR_RETURN(Relation relation, BindQuery(query, nullptr));
  return relation.node;
}

Status Binder::CheckDepth(const SourcePosition& position) const {
  if (depth_ <= 2 * kNestingMax) return Status::OK();
  return Status(kNestingTooDeep, fmt::format("queries, views and joins nest more than {} levels deep", 2 * kNestingMax))
      .At(position);
}

Result<Relation> Binder::BindQuery(const ast::Query& query, const CommonTableScope* scope) {
  Depth guard(*this);
  TM_RETURN_IF_ERROR(CheckDepth(query.position));
  // WITH queries are bound where they are named; each is seen by those after it.
  std::vector<CommonTableScope> scopes(query.with.size());
  const CommonTableScope* visible = scope;
  for (size_t i = 0; i < query.with.size(); ++i) {
    for (size_t k = 0; k < i; ++k) {
      if (query.with[k].name.text == query.with[i].name.text) {
        return Status(kAlreadyExists, fmt::format("WITH query '{}' stands twice", query.with[i].name.text))
            .At(query.with[i].name.position);
      }
    }
    scopes[i] = {visible, &query.with[i], visible};
    visible = &scopes[i];
  }
  if (!query.order_by.empty()) {
    return Status(kUnsupportedSyntax, "ORDER BY of a query is not supported")
        .At(query.order_position)
        .WithHint("a stream has no last row to sort up to");
  }
  if (query.limit || query.offset) {
    return Status(kUnsupportedSyntax, query.limit ? "LIMIT is not supported" : "OFFSET is not supported")
        .At(query.limit_position);
  }
  // Even a WITH query that nothing names must be right.
  for (size_t i = 0; i < query.with.size(); ++i) {
    const std::string outer = std::exchange(hint_, query.with[i].name.text);
    auto it = shared_queries_.find(query.with[i].query.get());
    if (it == shared_queries_.end()) {
      TM_ASSIGN_OR_RETURN(Relation bound, BindQuery(*query.with[i].query, scopes[i].visible));
      shared_queries_.emplace(query.with[i].query.get(), std::move(bound));
    }
    hint_ = outer;
  }
  return BindBody(*query.body, visible);
}

Result<Relation> Binder::BindBody(const Body& body, const CommonTableScope* scope) {
  switch (body.kind) {
    case Body::Kind::kSelect:
      return BindSelect(body, scope);
    case Body::Kind::kValues:
      return BindValues(body);
    case Body::Kind::kSetOperation:
      return BindUnion(body, scope);
    case Body::Kind::kQuery:
      return BindQuery(*body.query, scope);
  }
  return Status(kInternalError, "unknown query").At(body.position);
}

Result<Relation> Binder::RenameColumns(Relation relation, const std::vector<ast::Name>& names,
                                       const std::string& qualifier, const ast::Name& owner) {
  if (!names.empty()) {
    size_t visible = 0;
    for (const ScopeColumn& column : relation.columns) visible += column.name.empty() ? 0 : 1;
    if (names.size() != visible) {
      return Status(kColumnNotFound,
                    fmt::format("'{}' has {} columns, {} names are given", owner.text, visible, names.size()))
          .At(names[std::min(names.size() - 1, visible)].position);
    }
    size_t next = 0;
    for (ScopeColumn& column : relation.columns) {
      if (!column.name.empty()) column.name = names[next++].text;
    }
  }
  for (ScopeColumn& column : relation.columns) column.qualifier = qualifier;
  return relation;
}

Result<Relation> Binder::BindUnion(const Body& body, const CommonTableScope* scope) {
  if (body.op != "UNION" || !body.all) {
    return Status(kUnsupportedSyntax, fmt::format("{}{} is not supported", body.op,
                                                  body.op == "UNION" ? " without ALL"
                                                  : body.all         ? " ALL"
                                                                     : ""))
        .At(body.position)
        .WithHint(body.op == "UNION" ? "UNION ALL keeps every row" : "");
  }
  std::vector<Relation> inputs;
  for (const ast::BodyPtr& input : body.inputs) {
    TM_ASSIGN_OR_RETURN(Relation relation, BindBody(*input, scope));
    if (!inputs.empty() && relation.columns.size() != inputs[0].columns.size()) {
      return Status(kTypeMismatch,
                    fmt::format("UNION ALL of {} and {} columns", inputs[0].columns.size(), relation.columns.size()))
          .At(input->position);
    }
    inputs.push_back(std::move(relation));
  }
  const size_t width = inputs[0].columns.size();
  std::vector<DataType> types;
  for (size_t c = 0; c < width; ++c) {
    DataType type = inputs[0].columns[c].type;
    for (size_t i = 1; i < inputs.size(); ++i) {
      if (inputs[i].columns[c].type.kind() == TypeKind::kNull) continue;
      if (type.kind() == TypeKind::kNull) {
        type = inputs[i].columns[c].type;
        continue;
      }
      Result<DataType> common = CommonType(type, inputs[i].columns[c].type);
      if (!common.ok()) {
        return Status(kTypeMismatch, fmt::format("column {} ('{}') of UNION ALL is {} and {}", c + 1,
                                                 inputs[0].columns[c].name, type.WithNullable(true).ToString(),
                                                 inputs[i].columns[c].type.WithNullable(true).ToString()))
            .At(body.inputs[i]->position);
      }
      type = *common;
    }
    types.push_back(type);
  }
  std::vector<std::string> names;
  for (const ScopeColumn& column : inputs[0].columns) names.push_back(column.name);
  std::vector<LogicalPtr> nodes;
  for (size_t i = 0; i < inputs.size(); ++i) {
    std::vector<ExpressionPtr> columns = ColumnsOfNode(*inputs[i].node);
    bool same = inputs[i].node->schema.names() == names;
    for (size_t c = 0; c < width; ++c) {
      const bool untyped = columns[c]->type.kind() == TypeKind::kNull;
      ExpressionPtr cast = untyped ? MakeNullLiteral(types[c], columns[c]->position) : CastTo(columns[c], types[c]);
      same = same && cast == columns[c];
      columns[c] = std::move(cast);
    }
    nodes.push_back(same ? inputs[i].node
                         : MakeProject(inputs[i].node, std::move(columns), names, hint_, body.inputs[i]->position));
  }
  return MakeRelation(MakeUnion(std::move(nodes), hint_, body.position), "");
}

Result<Relation> Binder::BindValues(const Body& body) {
  Relation none;
  BindContext context;
  context.relation = &none;
  context.clause = "VALUES";
  ExpressionBinder binder(context);
  std::vector<std::vector<ExpressionPtr>> rows;
  for (const std::vector<ast::ExprPtr>& row : body.rows) {
    std::vector<ExpressionPtr> bound;
    for (const ast::ExprPtr& value : row) {
      TM_ASSIGN_OR_RETURN(ExpressionPtr e, binder.Bind(*value));
      bound.push_back(std::move(e));
    }
    if (!rows.empty() && bound.size() != rows[0].size()) {
      return Status(kTypeMismatch,
                    fmt::format("this row of VALUES has {} values, the first has {}", bound.size(), rows[0].size()))
          .At(row[0]->position);
    }
    rows.push_back(std::move(bound));
  }
  std::vector<Field> fields;
  for (size_t c = 0; c < rows[0].size(); ++c) {
    std::vector<ExpressionPtr> column;
    for (const auto& row : rows) column.push_back(row[c]);
    TM_ASSIGN_OR_RETURN(DataType type, CommonTypeOfExpressions(column));
    for (auto& row : rows) row[c] = CastTo(row[c], type);
    fields.push_back({fmt::format("EXPR${}", c), type});
  }
  return MakeRelation(MakeValues(std::move(rows), std::move(fields), hint_, body.position), "");
}

}  // namespace tidemill
