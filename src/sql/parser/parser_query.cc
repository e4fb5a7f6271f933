#include <fmt/format.h>

#include "base/config.h"
#include "sql/parser/parser_impl.h"

namespace tidemill {

using ast::Body;
using ast::BodyPtr;
using ast::ExprPtr;
using ast::QueryPtr;

Result<QueryPtr> Parser::ParseQuery() {
  Depth guard(*this);
  TM_RETURN_IF_ERROR(CheckDepth());
  auto query = std::make_shared<ast::Query>();
  query->position = Here();
  if (AcceptWord("WITH")) {
    if (IsWord("RECURSIVE")) return Unsupported("WITH RECURSIVE");
    do {
      ast::CommonTable table;
      TM_ASSIGN_OR_RETURN(table.name, ParseName("a name for the WITH query"));
      if (IsSymbol("(")) {
        TM_ASSIGN_OR_RETURN(table.columns, ParseNameList("a column name"));
      }
      TM_RETURN_IF_ERROR(ExpectWord("AS"));
      TM_RETURN_IF_ERROR(ExpectSymbol("("));
      TM_ASSIGN_OR_RETURN(table.query, ParseQuery());
      TM_RETURN_IF_ERROR(ExpectSymbol(")"));
      query->with.push_back(std::move(table));
    } while (AcceptSymbol(","));
  }
  TM_ASSIGN_OR_RETURN(query->body, ParseBody(0));
  if (IsWord("ORDER")) {
    query->order_position = Here();
    Take();
    TM_RETURN_IF_ERROR(ExpectWord("BY"));
    TM_ASSIGN_OR_RETURN(query->order_by, ParseSortItems());
  }
  if (IsWord("LIMIT")) {
    query->limit_position = Here();
    Take();
    if (!AcceptWord("ALL")) {
      TM_ASSIGN_OR_RETURN(query->limit, ParseExpr());
    }
  }
  if (IsWord("OFFSET")) {
    query->limit_position = Here();
    Take();
    TM_ASSIGN_OR_RETURN(query->offset, ParseExpr());
    if (!AcceptWord("ROWS")) AcceptWord("ROW");
  }
  if (IsWord("FETCH")) return Unsupported("FETCH FIRST");
  return QueryPtr(std::move(query));
}

// UNION and EXCEPT bind alike, INTERSECT tighter.
Result<BodyPtr> Parser::ParseBody(int precedence) {
  TM_ASSIGN_OR_RETURN(BodyPtr left, ParseBodyTerm());
  for (;;) {
    const bool intersect = IsWord("INTERSECT");
    if (!intersect && !IsWord("UNION") && !IsWord("EXCEPT") && !IsWord("MINUS")) return left;
    const int power = intersect ? 2 : 1;
    if (power <= precedence) return left;
    auto set = std::make_shared<Body>();
    set->kind = Body::Kind::kSetOperation;
    set->position = Here();
    set->op = Take().upper;
    set->all = AcceptWord("ALL");
    if (!set->all) AcceptWord("DISTINCT");
    TM_ASSIGN_OR_RETURN(BodyPtr right, ParseBody(power));
    if (left->kind == Body::Kind::kSetOperation && left->op == set->op && left->all && set->all && set->op == "UNION") {
      set->inputs = left->inputs;
      set->position = left->position;
    } else {
      set->inputs.push_back(std::move(left));
    }
    set->inputs.push_back(std::move(right));
    left = std::move(set);
  }
}

Result<BodyPtr> Parser::ParseBodyTerm() {
  auto body = std::make_shared<Body>();
  body->position = Here();
  if (IsWord("SELECT")) {
    TM_RETURN_IF_ERROR(ParseSelect(body->select));
    return BodyPtr(std::move(body));
  }
  if (AcceptWord("VALUES")) {
    body->kind = Body::Kind::kValues;
    do {
      std::vector<ExprPtr> row;
      if (AcceptWord("ROW") || IsSymbol("(")) {
        TM_RETURN_IF_ERROR(ExpectSymbol("("));
        do {
          TM_ASSIGN_OR_RETURN(ExprPtr value, ParseExpr());
          row.push_back(std::move(value));
        } while (AcceptSymbol(","));
        if (!AcceptSymbol(")")) return Expected("',' or ')'");
      } else {
        TM_ASSIGN_OR_RETURN(ExprPtr value, ParseExpr());
        row.push_back(std::move(value));
      }
      body->rows.push_back(std::move(row));
    } while (AcceptSymbol(","));
    return BodyPtr(std::move(body));
  }
  if (AcceptSymbol("(")) {
    body->kind = Body::Kind::kQuery;
    TM_ASSIGN_OR_RETURN(body->query, ParseQuery());
    TM_RETURN_IF_ERROR(ExpectSymbol(")"));
    return BodyPtr(std::move(body));
  }
  if (IsWord("TABLE")) return Unsupported("TABLE t as a query");
  return Expected("SELECT, VALUES, WITH or '('", {"SELECT", "VALUES", "WITH"});
}

Status Parser::ExpectedAfterAlias(const std::optional<ast::Name>& alias, std::string_view what,
                                  std::initializer_list<std::string_view> words) const {
  if (alias && at_ >= 2 && tokens_[at_ - 1].kind == TokenKind::kWord && tokens_[at_ - 1].text == alias->text &&
      !(tokens_[at_ - 2].kind == TokenKind::kWord && tokens_[at_ - 2].upper == "AS")) {
    std::string nearest = NearestName(tokens_[at_ - 1].upper, {words.begin(), words.end()});
    if (!nearest.empty()) {
      return Status(kSyntaxError, fmt::format("expected {}, found '{}'", what, alias->text))
          .At(alias->position)
          .WithHint(fmt::format("did you mean '{}'?", nearest));
    }
  }
  return Expected(what, words);
}

Status Parser::ParseSelect(ast::Select& out) {
  Take();
  if (IsSymbol("/*+")) {
    TM_ASSIGN_OR_RETURN(out.hints, ParseHints());
  }
  if (IsWord("STREAM")) return Unsupported("SELECT STREAM");
  out.distinct_position = Here();
  if (AcceptWord("DISTINCT")) {
    out.distinct = true;
  } else {
    AcceptWord("ALL");
  }
  do {
    TM_RETURN_IF_ERROR(ParseSelectItem(out));
  } while (AcceptSymbol(","));
  const bool query_ends = AtEnd() || IsSymbol(")") || IsSymbol(";") || IsWord("UNION") || IsWord("INTERSECT") ||
                          IsWord("EXCEPT") || IsWord("ORDER") || IsWord("LIMIT") || IsWord("WHERE") ||
                          IsWord("OFFSET") || IsWord("FETCH") || IsWord("MINUS");
  if (!IsWord("FROM") && !query_ends) {
    return ExpectedAfterAlias(out.items.back().alias, "',' or FROM", {"FROM"});
  }
  if (AcceptWord("FROM")) {
    TM_ASSIGN_OR_RETURN(out.from, ParseFrom());
  }
  if (AcceptWord("WHERE")) {
    TM_ASSIGN_OR_RETURN(out.where, ParseExpr());
  }
  if (IsWord("GROUP")) TM_RETURN_IF_ERROR(ParseGroupBy(out));
  if (AcceptWord("HAVING")) {
    TM_ASSIGN_OR_RETURN(out.having, ParseExpr());
  }
  if (AcceptWord("WINDOW")) {
    do {
      ast::NamedWindow window;
      TM_ASSIGN_OR_RETURN(window.name, ParseName("a window name"));
      TM_RETURN_IF_ERROR(ExpectWord("AS"));
      TM_RETURN_IF_ERROR(ExpectSymbol("("));
      TM_ASSIGN_OR_RETURN(window.definition, ParseWindowDefinition());
      out.windows.push_back(std::move(window));
    } while (AcceptSymbol(","));
  }
  if (IsWord("QUALIFY")) return Unsupported("QUALIFY");
  return Status::OK();
}

Status Parser::ParseSelectItem(ast::Select& out) {
  ast::SelectItem item;
  TM_ASSIGN_OR_RETURN(item.expr, ParseExpr());
  if (item.expr->kind != ast::Expr::Kind::kStar) {
    if (AcceptWord("AS")) {
      TM_ASSIGN_OR_RETURN(ast::Name alias, ParseName("a name after AS"));
      item.alias = std::move(alias);
    } else if (IsName()) {
      TM_ASSIGN_OR_RETURN(ast::Name alias, ParseName("a name"));
      item.alias = std::move(alias);
    }
  }
  out.items.push_back(std::move(item));
  return Status::OK();
}

Status Parser::ParseGroupBy(ast::Select& out) {
  out.group_position = Here();
  Take();
  TM_RETURN_IF_ERROR(ExpectWord("BY"));
  out.has_group_by = true;
  if (IsSymbol("(") && IsSymbol(")", 1)) {
    Take();
    Take();
    return Status::OK();
  }
  do {
    if (IsWords({"GROUPING", "SETS"})) return Unsupported("GROUPING SETS");
    if ((IsWord("ROLLUP") || IsWord("CUBE")) && IsSymbol("(", 1)) return Unsupported(Peek().upper);
    TM_ASSIGN_OR_RETURN(ExprPtr key, ParseExpr());
    if (key->kind == ast::Expr::Kind::kRow && key->op.empty()) {
      out.group_by.insert(out.group_by.end(), key->args.begin(), key->args.end());
    } else {
      out.group_by.push_back(std::move(key));
    }
  } while (AcceptSymbol(","));
  return Status::OK();
}

Result<std::vector<ast::SortItem>> Parser::ParseSortItems() {
  std::vector<ast::SortItem> items;
  do {
    ast::SortItem item;
    TM_ASSIGN_OR_RETURN(item.expr, ParseExpr());
    if (AcceptWord("DESC")) {
      item.descending = true;
    } else {
      AcceptWord("ASC");
    }
    if (AcceptWords({"NULLS", "FIRST"})) {
      item.nulls_first = true;
    } else if (AcceptWords({"NULLS", "LAST"})) {
      item.nulls_first = false;
    }
    items.push_back(std::move(item));
  } while (AcceptSymbol(","));
  return items;
}

}  // namespace tidemill
