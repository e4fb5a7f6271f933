#include <fmt/format.h>

#include "sql/parser/parser_impl.h"

namespace tidemill {

using ast::TableRef;
using ast::TableRefPtr;

Result<TableRefPtr> Parser::ParseFrom() {
  TM_ASSIGN_OR_RETURN(TableRefPtr left, ParseJoined());
  while (IsSymbol(",")) {
    auto join = std::make_shared<TableRef>();
    join->kind = TableRef::Kind::kJoin;
    join->join = TableRef::Join::kComma;
    join->position = Here();
    Take();
    join->left = std::move(left);
    TM_ASSIGN_OR_RETURN(join->right, ParseJoined());
    left = std::move(join);
  }
  if (left->kind == TableRef::Kind::kTable || left->kind == TableRef::Kind::kSubquery ||
      left->kind == TableRef::Kind::kFunction) {
    const bool clause_follows =
        AtEnd() || Peek().kind == TokenKind::kSymbol || IsReservedWord(Peek().upper) || !left->alias;
    if (!clause_follows) {
      return ExpectedAfterAlias(left->alias, "WHERE, GROUP BY, a join or the end of the query",
                                {"WHERE", "GROUP", "JOIN", "HAVING", "WINDOW"});
    }
  }
  return left;
}

Result<TableRefPtr> Parser::ParseJoined() {
  TM_ASSIGN_OR_RETURN(TableRefPtr left, ParseTablePrimary());
  for (int joins = 0;; ++joins) {
    SourcePosition position = Here();
    auto join = std::make_shared<TableRef>();
    if (IsWord("NATURAL")) return Unsupported("NATURAL JOIN");
    if (AcceptWord("CROSS")) {
      join->join = TableRef::Join::kCross;
    } else if (AcceptWord("INNER")) {
      join->join = TableRef::Join::kInner;
    } else if (IsWord("LEFT") || IsWord("RIGHT") || IsWord("FULL")) {
      const std::string side = Take().upper;
      join->join = side == "LEFT"    ? TableRef::Join::kLeft
                   : side == "RIGHT" ? TableRef::Join::kRight
                                     : TableRef::Join::kFull;
      AcceptWord("OUTER");
    } else if (!IsWord("JOIN")) {
      return left;
    }
    if (joins > kNestingMax)
      return Status(kNestingTooDeep, fmt::format("more than {} joins", kNestingMax)).At(position);
    TM_RETURN_IF_ERROR(ExpectWord("JOIN"));
    join->kind = TableRef::Kind::kJoin;
    join->position = Span(position);
    join->left = std::move(left);
    TM_ASSIGN_OR_RETURN(join->right, ParseTablePrimary());
    if (join->join != TableRef::Join::kCross) {
      if (AcceptWord("ON")) {
        TM_ASSIGN_OR_RETURN(join->on, ParseExpr());
      } else if (AcceptWord("USING")) {
        TM_ASSIGN_OR_RETURN(join->using_columns, ParseNameList("a column name"));
      } else {
        return ExpectedAfterAlias(join->right->alias, "ON or USING", {"ON", "USING"});
      }
    }
    left = std::move(join);
  }
}

Result<TableRefPtr> Parser::ParseTablePrimary() {
  Depth guard(*this);
  TM_RETURN_IF_ERROR(CheckDepth());
  auto table = std::make_shared<TableRef>();
  table->position = Here();
  if (IsWord("UNNEST")) return Unsupported("UNNEST");
  if (AcceptWord("LATERAL")) table->lateral = true;
  if (IsWord("TABLE") && IsSymbol("(", 1)) {
    Take();
    Take();
    table->kind = TableRef::Kind::kFunction;
    if (!IsName() || !IsSymbol("(", 1)) return Expected("a table function");
    TM_ASSIGN_OR_RETURN(table->function, ParseExpr());
    TM_RETURN_IF_ERROR(ExpectSymbol(")"));
  } else if (AcceptSymbol("(")) {
    if (StartsQuery() || IsSymbol("(")) {
      table->kind = TableRef::Kind::kSubquery;
      TM_ASSIGN_OR_RETURN(table->query, ParseQuery());
      TM_RETURN_IF_ERROR(ExpectSymbol(")"));
    } else {
      TM_ASSIGN_OR_RETURN(TableRefPtr inner, ParseJoined());
      TM_RETURN_IF_ERROR(ExpectSymbol(")"));
      if (inner->kind != TableRef::Kind::kJoin) return Expected("a query in the parentheses");
      return inner;
    }
  } else if (IsName() && IsSymbol("(", 1)) {
    table->kind = TableRef::Kind::kFunction;
    TM_ASSIGN_OR_RETURN(table->function, ParseNameOrCall());
  } else {
    if (!IsName()) return Expected("a table name, a table function or '('");
    TM_ASSIGN_OR_RETURN(ast::Name name, ParseObjectName("a table name"));
    table->names.push_back(std::move(name));
    if (IsSymbol("/*+")) {
      TM_ASSIGN_OR_RETURN(table->hints, ParseHints());
    }
    if (IsWords({"FOR", "SYSTEM_TIME"})) {
      Take();
      Take();
      TM_RETURN_IF_ERROR(ExpectWord("AS"));
      TM_RETURN_IF_ERROR(ExpectWord("OF"));
      TM_ASSIGN_OR_RETURN(table->system_time, ParseExpr());
    }
  }
  TM_RETURN_IF_ERROR(ParseTableSuffix(*table));
  return TableRefPtr(std::move(table));
}

Status Parser::ParseTableSuffix(TableRef& out) {
  if (IsWord("MATCH_RECOGNIZE")) return Unsupported("MATCH_RECOGNIZE");
  if (IsWord("TABLESAMPLE")) return Unsupported("TABLESAMPLE");
  if (IsWord("PIVOT") && IsSymbol("(", 1)) return Unsupported("PIVOT");
  if (AcceptWord("AS")) {
    TM_ASSIGN_OR_RETURN(ast::Name alias, ParseName("an alias"));
    out.alias = std::move(alias);
  } else if (IsName()) {
    TM_ASSIGN_OR_RETURN(ast::Name alias, ParseName("an alias"));
    out.alias = std::move(alias);
  }
  if (out.alias && IsSymbol("(")) {
    TM_ASSIGN_OR_RETURN(out.column_aliases, ParseNameList("a column alias"));
  }
  if (IsWord("MATCH_RECOGNIZE")) return Unsupported("MATCH_RECOGNIZE");
  if (IsSymbol("/*+")) {
    TM_ASSIGN_OR_RETURN(std::vector<ast::Hint> hints, ParseHints());
    out.hints.insert(out.hints.end(), hints.begin(), hints.end());
  }
  return Status::OK();
}

// /*+ NAME('k' = 'v', ...), NAME(word, ...) */
Result<std::vector<ast::Hint>> Parser::ParseHints() {
  std::vector<ast::Hint> hints;
  TM_RETURN_IF_ERROR(ExpectSymbol("/*+"));
  do {
    ast::Hint hint;
    hint.position = Here();
    TM_ASSIGN_OR_RETURN(ast::Name name, ParseName("a hint's name"));
    hint.name = name.text;
    for (char& c : hint.name) c = static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
    if (AcceptSymbol("(")) {
      if (Peek().kind == TokenKind::kString && IsSymbol("=", 1)) {
        TM_ASSIGN_OR_RETURN(hint.options, ParseOptions(")"));
      } else {
        do {
          ast::Option option;
          option.key_position = Here();
          if (Peek().kind != TokenKind::kWord && Peek().kind != TokenKind::kString &&
              Peek().kind != TokenKind::kQuoted) {
            return Expected("an option of the hint");
          }
          option.key = Take().text;
          if (AcceptSymbol("=")) {
            option.value_position = Here();
            TM_ASSIGN_OR_RETURN(option.value, ParseStringLiteral("a value as 'string'"));
          }
          hint.options.push_back(std::move(option));
        } while (AcceptSymbol(","));
        if (!AcceptSymbol(")")) return Expected("',' or ')'");
      }
    }
    hints.push_back(std::move(hint));
  } while (AcceptSymbol(",") || !IsSymbol("*/"));
  TM_RETURN_IF_ERROR(ExpectSymbol("*/"));
  return hints;
}

}  // namespace tidemill
