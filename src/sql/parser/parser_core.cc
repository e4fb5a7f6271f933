#include <algorithm>
#include <unordered_set>

#include <fmt/format.h>

#include "base/config.h"
#include "sql/parser/parser_impl.h"

namespace tidemill {

bool IsReservedWord(std::string_view upper) {
  // The words that open or join clauses: a name among them is written in backticks, as in Flink.
  static const std::unordered_set<std::string_view> kReserved = {"ALL",        "AND",
                                                                 "ANY",        "AS",
                                                                 "BETWEEN",    "BY",
                                                                 "CASE",       "CAST",
                                                                 "CREATE",     "CROSS",
                                                                 "DISTINCT",   "DROP",
                                                                 "ELSE",       "END",
                                                                 "EXCEPT",     "EXISTS",
                                                                 "FALSE",      "FETCH",
                                                                 "FOR",        "FROM",
                                                                 "FULL",       "GROUP",
                                                                 "HAVING",     "IN",
                                                                 "INNER",      "INSERT",
                                                                 "INTERSECT",  "INTO",
                                                                 "IS",         "JOIN",
                                                                 "LATERAL",    "LEFT",
                                                                 "LIKE",       "LIMIT",
                                                                 "NATURAL",    "NOT",
                                                                 "NULL",       "OFFSET",
                                                                 "ON",         "OR",
                                                                 "ORDER",      "OUTER",
                                                                 "OVER",       "PARTITION",
                                                                 "PRIMARY",    "RIGHT",
                                                                 "SELECT",     "SET",
                                                                 "SIMILAR",    "TABLE",
                                                                 "THEN",       "TO",
                                                                 "TRUE",       "UNION",
                                                                 "UNNEST",     "USING",
                                                                 "VALUES",     "WHEN",
                                                                 "WHERE",      "WINDOW",
                                                                 "WITH",       "MATCH_RECOGNIZE",
                                                                 "TABLESAMPLE"};
  return kReserved.contains(upper);
}

const std::vector<std::string>& SqlKeywords() {
  static const std::vector<std::string> kWords = {"ALL",
                                                  "AND",
                                                  "ARRAY",
                                                  "AS",
                                                  "BEGIN",
                                                  "BETWEEN",
                                                  "BIGINT",
                                                  "BOOLEAN",
                                                  "BY",
                                                  "BYTES",
                                                  "CASE",
                                                  "CAST",
                                                  "COMMENT",
                                                  "CREATE",
                                                  "CUMULATE",
                                                  "CURRENT ROW",
                                                  "DATE",
                                                  "DECIMAL",
                                                  "DESCRIBE",
                                                  "DESCRIPTOR",
                                                  "DISTINCT",
                                                  "DOUBLE",
                                                  "DROP",
                                                  "ELSE",
                                                  "END",
                                                  "EXECUTE STATEMENT SET",
                                                  "EXPLAIN",
                                                  "FALSE",
                                                  "FILTER",
                                                  "FLOAT",
                                                  "FOR SYSTEM_TIME AS OF",
                                                  "FROM",
                                                  "GROUP BY",
                                                  "HAVING",
                                                  "HOP",
                                                  "IF EXISTS",
                                                  "IF NOT EXISTS",
                                                  "IN",
                                                  "INNER JOIN",
                                                  "INPUT",
                                                  "INSERT INTO",
                                                  "INT",
                                                  "INTERVAL",
                                                  "IS NOT NULL",
                                                  "IS NULL",
                                                  "JOIN",
                                                  "LEFT JOIN",
                                                  "LIKE",
                                                  "MAP",
                                                  "METADATA",
                                                  "ML_PREDICT",
                                                  "MODEL",
                                                  "MODELS",
                                                  "NOT",
                                                  "NULL",
                                                  "ON",
                                                  "OR",
                                                  "ORDER BY",
                                                  "OUTPUT",
                                                  "OVER",
                                                  "PARTITION BY",
                                                  "PRIMARY KEY",
                                                  "NOT ENFORCED",
                                                  "RANGE",
                                                  "RESET",
                                                  "ROW",
                                                  "ROWS",
                                                  "SELECT",
                                                  "SESSION",
                                                  "SET",
                                                  "SHOW",
                                                  "STRING",
                                                  "TABLE",
                                                  "TABLES",
                                                  "THEN",
                                                  "TIMESTAMP",
                                                  "TIMESTAMP_LTZ",
                                                  "TRUE",
                                                  "TRY_CAST",
                                                  "TUMBLE",
                                                  "UNBOUNDED PRECEDING",
                                                  "UNION ALL",
                                                  "VALUES",
                                                  "VIEW",
                                                  "VIEWS",
                                                  "VIRTUAL",
                                                  "WATERMARK FOR",
                                                  "WHEN",
                                                  "WHERE",
                                                  "WINDOW",
                                                  "WITH"};
  return kWords;
}

bool Parser::IsWords(std::initializer_list<std::string_view> words) const {
  size_t ahead = 0;
  for (std::string_view word : words) {
    if (!IsWord(word, ahead++)) return false;
  }
  return true;
}

bool Parser::AcceptWord(std::string_view upper) {
  if (!IsWord(upper)) return false;
  Take();
  return true;
}

bool Parser::AcceptWords(std::initializer_list<std::string_view> words) {
  if (!IsWords(words)) return false;
  for (size_t i = 0; i < words.size(); ++i) Take();
  return true;
}

bool Parser::AcceptSymbol(std::string_view symbol) {
  if (!IsSymbol(symbol)) return false;
  Take();
  return true;
}

Status Parser::ExpectWord(std::string_view upper) {
  return AcceptWord(upper) ? Status::OK() : Expected(upper, {upper});
}

Status Parser::ExpectSymbol(std::string_view symbol) {
  return AcceptSymbol(symbol) ? Status::OK() : Expected(fmt::format("'{}'", symbol));
}

SourcePosition Parser::Span(const SourcePosition& begin) const {
  SourcePosition out = begin;
  if (at_ == 0) return out;
  const Token& last = tokens_[at_ - 1];
  if (last.line == begin.line && last.column + last.length > begin.column)
    out.length = last.column + last.length - begin.column;
  return out;
}

std::string Parser::Found() const {
  const Token& token = Peek();
  switch (token.kind) {
    case TokenKind::kEnd:
      return "the end of the script";
    case TokenKind::kString: {
      constexpr size_t kShown = 40;
      return fmt::format("string '{}'", token.text.size() > kShown ? token.text.substr(0, kShown) + "..." : token.text);
    }
    case TokenKind::kQuoted:
      return fmt::format("name `{}`", token.text);
    case TokenKind::kNumber:
      return fmt::format("number {}", token.text);
    case TokenKind::kBinary:
      return "binary string";
    default:
      return fmt::format("'{}'", token.text);
  }
}

Status Parser::Expected(std::string_view what, std::initializer_list<std::string_view> words) const {
  Status status = Status(kSyntaxError, fmt::format("expected {}, found {}", what, Found())).At(Here());
  if (Peek().kind == TokenKind::kWord) {
    std::string nearest = NearestName(Peek().upper, {words.begin(), words.end()});
    if (!nearest.empty() && nearest != Peek().upper) return status.WithHint(fmt::format("did you mean '{}'?", nearest));
    if (IsReservedWord(Peek().upper) && what.find("name") != std::string_view::npos) {
      return status.WithHint(fmt::format("a reserved word as a name is written `{}`", Peek().text));
    }
  }
  return status;
}

Status Parser::Unsupported(std::string_view construct) const { return UnsupportedAt(construct, Here()); }

Status Parser::UnsupportedAt(std::string_view construct, const SourcePosition& position) const {
  return Status(kUnsupportedSyntax, fmt::format("{} is not supported", construct)).At(position);
}

Status Parser::CheckDepth() const {
  if (depth_ <= kNestingMax) return Status::OK();
  return Status(kNestingTooDeep, fmt::format("nested more than {} levels deep", kNestingMax)).At(Here());
}

bool Parser::IsName(size_t ahead) const {
  const Token& token = Peek(ahead);
  return token.kind == TokenKind::kQuoted || (token.kind == TokenKind::kWord && !IsReservedWord(token.upper));
}

Result<ast::Name> Parser::ParseName(std::string_view what) {
  if (!IsName()) return Expected(what);
  const Token& token = Take();
  return ast::Name{token.text, PositionOf(token)};
}

Result<ast::Name> Parser::ParseObjectName(std::string_view what) {
  TM_ASSIGN_OR_RETURN(ast::Name name, ParseName(what));
  if (IsSymbol(".")) return Unsupported("a name of several parts (catalog.database.name)");
  return name;
}

Result<std::vector<ast::Name>> Parser::ParseNameList(std::string_view what) {
  std::vector<ast::Name> names;
  TM_RETURN_IF_ERROR(ExpectSymbol("("));
  do {
    TM_ASSIGN_OR_RETURN(ast::Name name, ParseName(what));
    names.push_back(std::move(name));
  } while (AcceptSymbol(","));
  if (!IsSymbol(")")) return Expected("',' or ')'");
  Take();
  return names;
}

Result<std::string> Parser::ParseStringLiteral(std::string_view what) {
  if (Peek().kind != TokenKind::kString) return Expected(what);
  return Take().text;
}

// 'key' = 'value', ... up to `close`, which is taken. Hints also allow words as keys.
Result<std::vector<ast::Option>> Parser::ParseOptions(std::string_view close) {
  std::vector<ast::Option> options;
  do {
    ast::Option option;
    option.key_position = Here();
    TM_ASSIGN_OR_RETURN(option.key, ParseStringLiteral("an option name as 'string'"));
    TM_RETURN_IF_ERROR(ExpectSymbol("="));
    option.value_position = Here();
    TM_ASSIGN_OR_RETURN(option.value, ParseStringLiteral("an option value as 'string'"));
    options.push_back(std::move(option));
  } while (AcceptSymbol(","));
  if (!AcceptSymbol(close)) return Expected(fmt::format("',' or '{}'", close));
  return options;
}

Result<std::vector<ast::Statement>> ParseScript(const std::string& file, const std::string& text,
                                                const std::map<std::string, std::string>& variables) {
  TM_ASSIGN_OR_RETURN(ExpandedScript script, ExpandVariables(file, text, variables));
  TM_ASSIGN_OR_RETURN(std::vector<Token> tokens, Tokenize(file, text, script));
  return Parser(file, std::move(tokens)).Script();
}

}  // namespace tidemill
