#include <fmt/format.h>

#include "base/config.h"
#include "sql/parser/parser_impl.h"

namespace tidemill {

using ast::Statement;

Result<std::vector<Statement>> Parser::Script() {
  std::vector<Statement> statements;
  for (;;) {
    while (AcceptSymbol(";")) {
    }
    if (AtEnd()) return statements;
    TM_ASSIGN_OR_RETURN(Statement statement, ParseStatement());
    statements.push_back(std::move(statement));
    if (!AtEnd() && !IsSymbol(";")) return Expected("';' or the end of the script");
  }
}

Result<Statement> Parser::ParseStatement() {
  if (IsWord("CREATE")) return ParseCreate();
  if (IsWord("DROP")) return ParseDrop();
  if (IsWord("SHOW")) return ParseShow();
  if (IsWord("DESCRIBE") || IsWord("DESC")) return ParseDescribe();
  if (IsWord("SET")) return ParseSet();
  if (IsWord("RESET")) return ParseReset();
  if (IsWord("EXPLAIN")) return ParseExplain();
  if (IsWords({"EXECUTE", "STATEMENT", "SET"}) || IsWords({"BEGIN", "STATEMENT", "SET"})) return ParseStatementSet();
  if (IsWords({"EXECUTE", "PLAN"}) || IsWords({"COMPILE", "PLAN"}) || IsWords({"COMPILE", "AND"})) {
    return Unsupported(fmt::format("{} PLAN", Peek().upper));
  }
  if (IsWord("INSERT")) {
    Statement statement;
    statement.kind = Statement::Kind::kInsert;
    statement.position = Here();
    TM_ASSIGN_OR_RETURN(ast::Insert insert, ParseInsert());
    statement.inserts.push_back(std::move(insert));
    return statement;
  }
  if (AcceptWords({"EXECUTE", "INSERT"}) || IsWord("EXECUTE")) return Unsupported("EXECUTE");
  if (StartsQuery() || IsSymbol("(")) {
    Statement statement;
    statement.kind = Statement::Kind::kSelect;
    statement.position = Here();
    TM_ASSIGN_OR_RETURN(statement.query, ParseQuery());
    return statement;
  }
  static constexpr std::string_view kRefused[] = {"ALTER",  "ANALYZE", "CALL",   "DELETE",  "LOAD",     "MERGE",
                                                  "REMOVE", "STOP",    "ADD",    "REPLACE", "TRUNCATE", "UNLOAD",
                                                  "UPDATE", "USE",     "UPSERT", "REFRESH", "HELP",     "QUIT"};
  if (Peek().kind == TokenKind::kWord) {
    for (std::string_view word : kRefused) {
      if (Peek().upper == word) return Unsupported(word);
    }
  }
  return Expected("a statement", {"CREATE", "DROP", "SHOW", "DESCRIBE", "SET", "RESET", "EXPLAIN", "EXECUTE", "INSERT",
                                  "SELECT", "WITH", "VALUES"});
}

Result<Statement> Parser::ParseDrop() {
  Statement statement;
  statement.kind = Statement::Kind::kDrop;
  statement.position = Here();
  Take();
  AcceptWord("TEMPORARY");
  if (IsWord("FUNCTION") || IsWord("CATALOG") || IsWord("DATABASE") || IsWord("MATERIALIZED") || IsWord("SYSTEM")) {
    return Unsupported(fmt::format("DROP {}", Peek().upper));
  }
  if (!IsWord("TABLE") && !IsWord("VIEW") && !IsWord("MODEL"))
    return Expected("TABLE, VIEW or MODEL", {"TABLE", "VIEW", "MODEL"});
  statement.what = Take().upper;
  statement.if_exists = AcceptWords({"IF", "EXISTS"});
  TM_ASSIGN_OR_RETURN(statement.name, ParseObjectName(fmt::format("a {} name", statement.what == "TABLE"  ? "table"
                                                                               : statement.what == "VIEW" ? "view"
                                                                                                          : "model")));
  return statement;
}

Result<Statement> Parser::ParseShow() {
  Statement statement;
  statement.kind = Statement::Kind::kShow;
  statement.position = Here();
  Take();
  for (std::string_view what : {"TABLES", "VIEWS", "MODELS", "FUNCTIONS"}) {
    if (!AcceptWord(what)) continue;
    statement.what = what;
    if (IsWord("FROM") || IsWord("IN") || IsWord("LIKE") || IsWord("NOT"))
      return Unsupported(fmt::format("SHOW {} {}", what, Peek().upper));
    return statement;
  }
  if (IsWord("CREATE") || IsWord("COLUMNS") || IsWord("CATALOGS") || IsWord("DATABASES") || IsWord("CURRENT") ||
      IsWord("JARS") || IsWord("JOBS") || IsWord("MODULES") || IsWord("FULL") || IsWord("USER") ||
      IsWord("PARTITIONS") || IsWord("PROCEDURES")) {
    return Unsupported(fmt::format("SHOW {}", Peek().upper));
  }
  return Expected("TABLES, VIEWS, MODELS or FUNCTIONS", {"TABLES", "VIEWS", "MODELS", "FUNCTIONS"});
}

Result<Statement> Parser::ParseDescribe() {
  Statement statement;
  statement.kind = Statement::Kind::kDescribe;
  statement.position = Here();
  Take();
  if (IsWord("MODEL") && IsName(1)) {
    Take();
    statement.what = "MODEL";
  }
  for (std::string_view what : {"CATALOG", "DATABASE", "FUNCTION", "JOB"}) {
    if (IsWord(what) && IsName(1)) return Unsupported(fmt::format("DESCRIBE {}", what));
  }
  AcceptWord("EXTENDED");
  TM_ASSIGN_OR_RETURN(statement.name, ParseObjectName("a table or view name"));
  return statement;
}

Result<Statement> Parser::ParseSet() {
  Statement statement;
  statement.kind = Statement::Kind::kSet;
  statement.position = Here();
  Take();
  if (AtEnd() || IsSymbol(";")) return statement;
  statement.key_position = Here();
  TM_ASSIGN_OR_RETURN(statement.key, ParseStringLiteral("a setting's name as 'string'"));
  TM_RETURN_IF_ERROR(ExpectSymbol("="));
  statement.value_position = Here();
  TM_ASSIGN_OR_RETURN(statement.value, ParseStringLiteral("a setting's value as 'string'"));
  return statement;
}

Result<Statement> Parser::ParseReset() {
  Statement statement;
  statement.kind = Statement::Kind::kReset;
  statement.position = Here();
  Take();
  if (AtEnd() || IsSymbol(";")) return statement;
  statement.key_position = Here();
  TM_ASSIGN_OR_RETURN(statement.key, ParseStringLiteral("a setting's name as 'string'"));
  return statement;
}

Result<Statement> Parser::ParseExplain() {
  Statement statement;
  statement.kind = Statement::Kind::kExplain;
  statement.position = Here();
  Take();
  if (!AcceptWords({"PLAN", "FOR"})) {
    // All details print the same plan: there is one.
    bool more = false;
    do {
      if (!AcceptWord("ESTIMATED_COST") && !AcceptWord("CHANGELOG_MODE") && !AcceptWord("PLAN_ADVICE")) {
        if (IsWord("JSON_EXECUTION_PLAN")) return Unsupported("EXPLAIN JSON_EXECUTION_PLAN");
        if (more)
          return Expected("ESTIMATED_COST, CHANGELOG_MODE or PLAN_ADVICE",
                          {"ESTIMATED_COST", "CHANGELOG_MODE", "PLAN_ADVICE"});
        break;
      }
      more = AcceptSymbol(",");
    } while (more);
  }
  if (IsWords({"STATEMENT", "SET"}) || IsWords({"EXECUTE", "STATEMENT", "SET"})) {
    TM_ASSIGN_OR_RETURN(Statement set, ParseStatementSet());
    statement.inserts = std::move(set.inserts);
    return statement;
  }
  if (IsWord("INSERT")) {
    TM_ASSIGN_OR_RETURN(ast::Insert insert, ParseInsert());
    statement.inserts.push_back(std::move(insert));
    return statement;
  }
  if (!StartsQuery() && !IsSymbol("("))
    return Expected("a query, INSERT or STATEMENT SET", {"SELECT", "INSERT", "STATEMENT", "WITH", "VALUES"});
  TM_ASSIGN_OR_RETURN(statement.query, ParseQuery());
  return statement;
}

// EXECUTE STATEMENT SET BEGIN ...; END, and the older BEGIN STATEMENT SET; ...; END.
Result<Statement> Parser::ParseStatementSet() {
  Statement statement;
  statement.kind = Statement::Kind::kStatementSet;
  statement.position = Here();
  if (AcceptWord("BEGIN")) {
    AcceptWords({"STATEMENT", "SET"});
    TM_RETURN_IF_ERROR(ExpectSymbol(";"));
  } else {
    AcceptWord("EXECUTE");
    AcceptWords({"STATEMENT", "SET"});
    TM_RETURN_IF_ERROR(ExpectWord("BEGIN"));
    AcceptSymbol(";");
  }
  while (!AcceptWord("END")) {
    if (!IsWord("INSERT")) return Expected("INSERT or END", {"INSERT", "END"});
    TM_ASSIGN_OR_RETURN(ast::Insert insert, ParseInsert());
    statement.inserts.push_back(std::move(insert));
    TM_RETURN_IF_ERROR(ExpectSymbol(";"));
  }
  if (statement.inserts.empty())
    return Status(kSyntaxError, "a statement set needs at least one INSERT").At(statement.position);
  return statement;
}

Result<ast::Insert> Parser::ParseInsert() {
  ast::Insert insert;
  insert.position = Here();
  Take();
  if (IsWord("OVERWRITE")) return Unsupported("INSERT OVERWRITE");
  TM_RETURN_IF_ERROR(ExpectWord("INTO"));
  AcceptWord("TABLE");
  TM_ASSIGN_OR_RETURN(insert.table, ParseObjectName("a table name"));
  if (IsSymbol("/*+")) {
    TM_ASSIGN_OR_RETURN(insert.hints, ParseHints());
  }
  if (IsWord("PARTITION")) return Unsupported("INSERT INTO ... PARTITION");
  if (IsSymbol("(") && !StartsQuery(1)) {
    TM_ASSIGN_OR_RETURN(insert.columns, ParseNameList("a column name"));
  }
  if (!StartsQuery() && !IsSymbol("("))
    return Expected("SELECT, VALUES, WITH or a column list", {"SELECT", "VALUES", "WITH"});
  TM_ASSIGN_OR_RETURN(insert.query, ParseQuery());
  if (IsWords({"ON", "CONFLICT"})) return Unsupported("ON CONFLICT");
  return insert;
}

}  // namespace tidemill
