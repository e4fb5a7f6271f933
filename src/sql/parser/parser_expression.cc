#include <array>

#include <fmt/format.h>

#include "sql/parser/parser_impl.h"

namespace tidemill {
namespace {

using ast::Expr;
using ast::ExprPtr;

// Binding powers, loosest first; the order is Calcite's.
constexpr int kOrPower = 22;
constexpr int kAndPower = 24;
constexpr int kNotPower = 26;
constexpr int kIsPower = 28;
constexpr int kComparePower = 30;
constexpr int kRangePower = 32;  // BETWEEN, IN, LIKE
constexpr int kAddPower = 40;
constexpr int kMultiplyPower = 60;
constexpr int kSignPower = 80;

int BinaryPower(const Token& token) {
  if (token.kind == TokenKind::kWord) {
    if (token.upper == "OR") return kOrPower;
    if (token.upper == "AND") return kAndPower;
    return 0;
  }
  if (token.kind != TokenKind::kSymbol) return 0;
  const std::string& s = token.text;
  if (s == "=" || s == "<>" || s == "!=" || s == "<" || s == "<=" || s == ">" || s == ">=") return kComparePower;
  if (s == "+" || s == "-") return kAddPower;
  if (s == "*" || s == "/" || s == "%" || s == "||") return kMultiplyPower;
  return 0;
}

constexpr std::array kTimeUnits = {
    "MILLENNIUM", "CENTURY",     "DECADE",      "YEAR",       "QUARTER", "MONTH", "WEEK", "DAY",    "HOUR",   "MINUTE",
    "SECOND",     "MILLISECOND", "MICROSECOND", "NANOSECOND", "EPOCH",   "DOW",   "DOY",  "ISODOW", "ISOYEAR"};

}  // namespace

std::string CanonicalTimeUnit(std::string_view upper) {
  if (upper.starts_with("SQL_TSI_")) upper.remove_prefix(8);
  for (std::string_view unit : kTimeUnits) {
    if (upper == unit) return std::string(unit);
    if (upper.size() == unit.size() + 1 && upper.back() == 'S' && upper.starts_with(unit)) return std::string(unit);
  }
  return "";
}

bool IsTimeUnit(std::string_view upper) { return !CanonicalTimeUnit(upper).empty(); }

std::shared_ptr<Expr> Parser::Make(Expr::Kind kind, SourcePosition position) const {
  auto expr = std::make_shared<Expr>();
  expr->kind = kind;
  expr->position = std::move(position);
  return expr;
}

Result<ExprPtr> Parser::Finish(std::shared_ptr<Expr> expr) const {
  for (const ExprPtr& arg : expr->args) {
    if (arg) expr->depth = std::max(expr->depth, arg->depth + 1);
  }
  if (expr->filter) expr->depth = std::max(expr->depth, expr->filter->depth + 1);
  if (expr->depth > kExpressionDepthMax) {
    return Status(kNestingTooDeep, fmt::format("expression is more than {} levels deep", kExpressionDepthMax))
        .At(expr->position);
  }
  return ExprPtr(std::move(expr));
}

Result<ExprPtr> Parser::ParseExpr(int precedence) {
  Depth guard(*this);
  TM_RETURN_IF_ERROR(CheckDepth());
  TM_ASSIGN_OR_RETURN(ExprPtr left, ParsePrefix());
  for (;;) {
    bool matched = false;
    TM_ASSIGN_OR_RETURN(left, ParsePredicate(std::move(left), matched, precedence));
    if (matched) continue;
    const Token& token = Peek();
    int power = BinaryPower(token);
    if (power == 0 || power <= precedence) return left;
    SourcePosition position = Here();
    Take();
    TM_ASSIGN_OR_RETURN(ExprPtr right, ParseExpr(power));
    if (power == kAndPower || power == kOrPower) {
      Expr::Kind kind = power == kAndPower ? Expr::Kind::kAnd : Expr::Kind::kOr;
      // Long chains stay flat.
      std::shared_ptr<Expr> chain = Make(kind, position);
      if (left->kind == kind) {
        chain->args = left->args;
        chain->position = left->position;
      } else {
        chain->args.push_back(left);
      }
      chain->args.push_back(std::move(right));
      TM_ASSIGN_OR_RETURN(left, Finish(std::move(chain)));
      continue;
    }
    std::shared_ptr<Expr> binary = Make(Expr::Kind::kBinaryOp, position);
    binary->op = token.text == "!=" ? "<>" : token.text;
    binary->args = {std::move(left), std::move(right)};
    TM_ASSIGN_OR_RETURN(left, Finish(std::move(binary)));
  }
}

Result<ExprPtr> Parser::ParsePrefix() {
  SourcePosition position = Here();
  if (IsWord("NOT") && !IsWord("EXISTS", 1)) {
    Take();
    TM_ASSIGN_OR_RETURN(ExprPtr operand, ParseExpr(kNotPower));
    std::shared_ptr<Expr> expr = Make(Expr::Kind::kUnary, position);
    expr->op = "NOT";
    expr->args = {std::move(operand)};
    return Finish(std::move(expr));
  }
  if (IsSymbol("-") || IsSymbol("+")) {
    std::string op = Take().text;
    TM_ASSIGN_OR_RETURN(ExprPtr operand, ParseExpr(kSignPower));
    std::shared_ptr<Expr> expr = Make(Expr::Kind::kUnary, position);
    expr->op = op;
    expr->args = {std::move(operand)};
    return Finish(std::move(expr));
  }
  TM_ASSIGN_OR_RETURN(ExprPtr primary, ParsePrimary());
  return ParsePostfix(std::move(primary));
}

// a[i], a.b after anything that is not a plain name.
Result<ExprPtr> Parser::ParsePostfix(ExprPtr left) {
  for (;;) {
    SourcePosition position = Here();
    if (AcceptSymbol("[")) {
      TM_ASSIGN_OR_RETURN(ExprPtr index, ParseExpr());
      TM_RETURN_IF_ERROR(ExpectSymbol("]"));
      std::shared_ptr<Expr> expr = Make(Expr::Kind::kIndex, position);
      expr->args = {std::move(left), std::move(index)};
      TM_ASSIGN_OR_RETURN(left, Finish(std::move(expr)));
    } else if (IsSymbol(".") && left->kind != Expr::Kind::kStar) {
      Take();
      std::shared_ptr<Expr> expr = Make(Expr::Kind::kField, position);
      if (IsSymbol("*")) return Unsupported("expanding the fields of a ROW with .*");
      if (Peek().kind != TokenKind::kWord && Peek().kind != TokenKind::kQuoted) return Expected("a field name");
      expr->position = Here();
      expr->names.push_back({Peek().text, Here()});
      Take();
      expr->args = {std::move(left)};
      TM_ASSIGN_OR_RETURN(left, Finish(std::move(expr)));
    } else {
      return left;
    }
  }
}

Result<ExprPtr> Parser::ParseIs(ExprPtr left) {
  SourcePosition position = Here();
  Take();
  bool negated = AcceptWord("NOT");
  std::string op = negated ? "IS NOT " : "IS ";
  if (AcceptWords({"DISTINCT", "FROM"})) {
    std::shared_ptr<Expr> expr = Make(Expr::Kind::kBinaryOp, position);
    expr->op = op + "DISTINCT FROM";
    TM_ASSIGN_OR_RETURN(ExprPtr right, ParseExpr(kIsPower));
    expr->args = {std::move(left), std::move(right)};
    return Finish(std::move(expr));
  }
  for (std::string_view what : {"NULL", "TRUE", "FALSE", "UNKNOWN"}) {
    if (!AcceptWord(what)) continue;
    std::shared_ptr<Expr> expr = Make(Expr::Kind::kUnary, Span(position));
    expr->op = op + std::string(what);
    expr->args = {std::move(left)};
    return Finish(std::move(expr));
  }
  if (AcceptWord("JSON")) {
    if (IsWord("VALUE") || IsWord("OBJECT") || IsWord("ARRAY") || IsWord("SCALAR"))
      return Unsupported("IS JSON " + Peek().upper);
    std::shared_ptr<Expr> json = Make(Expr::Kind::kUnary, Span(position));
    json->op = "IS JSON";
    json->args = {std::move(left)};
    if (!negated) return Finish(std::move(json));
    std::shared_ptr<Expr> inverse = Make(Expr::Kind::kUnary, json->position);
    inverse->op = "NOT";
    TM_ASSIGN_OR_RETURN(ExprPtr operand, Finish(std::move(json)));
    inverse->args = {std::move(operand)};
    return Finish(std::move(inverse));
  }
  if (IsSymbol("(") || IsWord("OF")) return Unsupported("IS OF type");
  return Expected(
      negated ? "NULL, TRUE, FALSE, UNKNOWN or DISTINCT FROM" : "[NOT] NULL, TRUE, FALSE, UNKNOWN or DISTINCT FROM",
      {"NULL", "NOT", "TRUE", "FALSE", "UNKNOWN", "DISTINCT"});
}

Result<ExprPtr> Parser::ParseIn(ExprPtr left, bool negated) {
  SourcePosition position = Here();
  Take();
  if (!IsSymbol("(")) return Expected("'(' after IN");
  if (StartsQuery(1)) {
    Take();
    std::shared_ptr<Expr> expr = Make(Expr::Kind::kSubquery, position);
    expr->op = "IN";
    expr->flag = negated;
    TM_ASSIGN_OR_RETURN(expr->query, ParseQuery());
    TM_RETURN_IF_ERROR(ExpectSymbol(")"));
    expr->args = {std::move(left)};
    return Finish(std::move(expr));
  }
  Take();
  std::shared_ptr<Expr> expr = Make(Expr::Kind::kIn, position);
  expr->flag = negated;
  expr->args = {std::move(left)};
  do {
    TM_ASSIGN_OR_RETURN(ExprPtr item, ParseExpr());
    expr->args.push_back(std::move(item));
  } while (AcceptSymbol(","));
  if (!AcceptSymbol(")")) return Expected("',' or ')'");
  return Finish(std::move(expr));
}

// IS, [NOT] BETWEEN, [NOT] IN, [NOT] LIKE after an operand.
Result<ExprPtr> Parser::ParsePredicate(ExprPtr left, bool& matched, int precedence) {
  if (IsWord("IS") && precedence < kIsPower) {
    matched = true;
    return ParseIs(std::move(left));
  }
  if (precedence >= kRangePower) return left;
  bool negated = IsWord("NOT") && (IsWord("BETWEEN", 1) || IsWord("IN", 1) || IsWord("LIKE", 1) ||
                                   IsWord("SIMILAR", 1) || IsWord("RLIKE", 1));
  size_t word = negated ? 1 : 0;
  if (!IsWord("BETWEEN", word) && !IsWord("IN", word) && !IsWord("LIKE", word) &&
      !(IsWord("SIMILAR", word) && IsWord("TO", word + 1))) {
    return left;
  }
  matched = true;
  if (negated) Take();
  if (IsWord("IN")) return ParseIn(std::move(left), negated);
  SourcePosition position = Here();
  if (AcceptWord("BETWEEN")) {
    std::shared_ptr<Expr> expr = Make(Expr::Kind::kBetween, position);
    expr->flag = negated;
    if (AcceptWord("SYMMETRIC")) {
      expr->op = "SYMMETRIC";
    } else {
      AcceptWord("ASYMMETRIC");
    }
    TM_ASSIGN_OR_RETURN(ExprPtr low, ParseExpr(kRangePower));
    TM_RETURN_IF_ERROR(ExpectWord("AND"));
    TM_ASSIGN_OR_RETURN(ExprPtr high, ParseExpr(kRangePower));
    expr->args = {std::move(left), std::move(low), std::move(high)};
    return Finish(std::move(expr));
  }
  std::shared_ptr<Expr> expr = Make(Expr::Kind::kLike, position);
  expr->flag = negated;
  expr->op = AcceptWord("LIKE") ? "LIKE" : "SIMILAR TO";
  if (expr->op != "LIKE") {
    Take();
    Take();
  }
  TM_ASSIGN_OR_RETURN(ExprPtr pattern, ParseExpr(kRangePower));
  expr->args = {std::move(left), std::move(pattern)};
  if (AcceptWord("ESCAPE")) {
    TM_ASSIGN_OR_RETURN(ExprPtr escape, ParseExpr(kRangePower));
    expr->args.push_back(std::move(escape));
  }
  return Finish(std::move(expr));
}

Result<ExprPtr> Parser::ParsePrimary() {
  const Token& token = Peek();
  SourcePosition position = Here();
  auto literal = [&](Expr::Kind kind) -> Result<ExprPtr> {
    std::shared_ptr<Expr> expr = Make(kind, position);
    expr->text = Take().text;
    return Finish(std::move(expr));
  };
  switch (token.kind) {
    case TokenKind::kNumber:
      return literal(Expr::Kind::kNumber);
    case TokenKind::kString:
      return literal(Expr::Kind::kString);
    case TokenKind::kBinary:
      return literal(Expr::Kind::kBinary);
    case TokenKind::kQuoted:
      return ParseNameOrCall();
    case TokenKind::kSymbol:
      if (token.text == "(") return ParseParenthesised();
      if (token.text == "?") return Unsupported("a dynamic parameter '?'");
      if (token.text == "*") {
        Take();
        return Finish(Make(Expr::Kind::kStar, position));
      }
      return Expected("an expression");
    case TokenKind::kEnd:
      return Expected("an expression");
    case TokenKind::kWord:
      break;
  }
  const std::string& word = token.upper;
  if (word == "TRUE" || word == "FALSE") {
    std::shared_ptr<Expr> expr = Make(Expr::Kind::kBoolean, position);
    expr->flag = word == "TRUE";
    Take();
    return Finish(std::move(expr));
  }
  if (word == "NULL" || (word == "UNKNOWN" && !IsSymbol("(", 1) && !IsSymbol(".", 1))) {
    Take();
    return Finish(Make(Expr::Kind::kNull, position));
  }
  if (word == "CASE") return ParseCase();
  if ((word == "CAST" || word == "TRY_CAST") && IsSymbol("(", 1)) return ParseCast(word == "TRY_CAST");
  if ((word == "DATE" || word == "TIME" || word == "TIMESTAMP" || word == "TIMESTAMP_LTZ") &&
      Peek(1).kind == TokenKind::kString) {
    Take();
    std::shared_ptr<Expr> expr = Make(Expr::Kind::kDateTime, position);
    expr->op = word;
    expr->text = Take().text;
    expr->position = Span(position);
    return Finish(std::move(expr));
  }
  if (word == "INTERVAL" && (Peek(1).kind == TokenKind::kString || Peek(1).kind == TokenKind::kNumber ||
                             IsSymbol("-", 1) || IsSymbol("+", 1))) {
    return ParseInterval();
  }
  if ((word == "ARRAY" || word == "MAP") && IsSymbol("[", 1))
    return ParseBracketed(word == "ARRAY" ? Expr::Kind::kArray : Expr::Kind::kMap);
  if ((word == "EXISTS" || (word == "NOT" && IsWord("EXISTS", 1))) && IsSymbol("(", word == "NOT" ? 2 : 1)) {
    std::shared_ptr<Expr> expr = Make(Expr::Kind::kSubquery, position);
    expr->op = "EXISTS";
    expr->flag = AcceptWord("NOT");
    Take();
    TM_RETURN_IF_ERROR(ExpectSymbol("("));
    TM_ASSIGN_OR_RETURN(expr->query, ParseQuery());
    TM_RETURN_IF_ERROR(ExpectSymbol(")"));
    return Finish(std::move(expr));
  }
  bool callable = IsSymbol("(", 1);
  if (IsReservedWord(word) && !(callable && (word == "LEFT" || word == "RIGHT"))) return Expected("an expression");
  return ParseNameOrCall();
}

Result<ExprPtr> Parser::ParseParenthesised() {
  SourcePosition position = Here();
  Take();
  if (StartsQuery()) {
    std::shared_ptr<Expr> expr = Make(Expr::Kind::kSubquery, position);
    TM_ASSIGN_OR_RETURN(expr->query, ParseQuery());
    TM_RETURN_IF_ERROR(ExpectSymbol(")"));
    return Finish(std::move(expr));
  }
  TM_ASSIGN_OR_RETURN(ExprPtr first, ParseExpr());
  if (AcceptSymbol(")")) return first;
  if (!IsSymbol(",")) return Expected("')'");
  std::shared_ptr<Expr> row = Make(Expr::Kind::kRow, position);
  row->args.push_back(std::move(first));
  while (AcceptSymbol(",")) {
    TM_ASSIGN_OR_RETURN(ExprPtr next, ParseExpr());
    row->args.push_back(std::move(next));
  }
  TM_RETURN_IF_ERROR(ExpectSymbol(")"));
  return Finish(std::move(row));
}

Result<ExprPtr> Parser::ParseCase() {
  std::shared_ptr<Expr> expr = Make(Expr::Kind::kCase, Here());
  Take();
  if (!IsWord("WHEN")) {
    expr->flag = true;
    TM_ASSIGN_OR_RETURN(ExprPtr operand, ParseExpr());
    expr->args.push_back(std::move(operand));
  }
  if (!IsWord("WHEN")) return Expected("WHEN", {"WHEN"});
  while (AcceptWord("WHEN")) {
    TM_ASSIGN_OR_RETURN(ExprPtr when, ParseExpr());
    TM_RETURN_IF_ERROR(ExpectWord("THEN"));
    TM_ASSIGN_OR_RETURN(ExprPtr then, ParseExpr());
    expr->args.push_back(std::move(when));
    expr->args.push_back(std::move(then));
  }
  ExprPtr otherwise;
  if (AcceptWord("ELSE")) {
    TM_ASSIGN_OR_RETURN(otherwise, ParseExpr());
  }
  expr->args.push_back(std::move(otherwise));
  if (!AcceptWord("END")) return Expected("WHEN, ELSE or END of the CASE", {"WHEN", "ELSE", "END"});
  return Finish(std::move(expr));
}

Result<ExprPtr> Parser::ParseCast(bool try_cast) {
  std::shared_ptr<Expr> expr = Make(Expr::Kind::kCast, Here());
  expr->flag = try_cast;
  Take();
  TM_RETURN_IF_ERROR(ExpectSymbol("("));
  TM_ASSIGN_OR_RETURN(ExprPtr arg, ParseExpr());
  expr->args.push_back(std::move(arg));
  TM_RETURN_IF_ERROR(ExpectWord("AS"));
  TM_ASSIGN_OR_RETURN(expr->type, ParseType());
  TM_RETURN_IF_ERROR(ExpectSymbol(")"));
  return Finish(std::move(expr));
}

// INTERVAL '1' DAY, INTERVAL -'1 02:03' DAY TO MINUTE; a bare number is taken too.
Result<ExprPtr> Parser::ParseInterval() {
  std::shared_ptr<Expr> expr = Make(Expr::Kind::kInterval, Here());
  SourcePosition position = Here();
  Take();
  if (AcceptSymbol("-")) {
    expr->flag = true;
  } else {
    AcceptSymbol("+");
  }
  if (Peek().kind != TokenKind::kString && Peek().kind != TokenKind::kNumber)
    return Expected("an interval's value as 'string'");
  expr->text = Take().text;
  TM_ASSIGN_OR_RETURN(ExprPtr unit, ParseUnit());
  expr->unit = unit->text;
  TM_ASSIGN_OR_RETURN(int precision, ParseOptionalPrecision(0, 10));
  (void)precision;
  if (AcceptWord("TO")) {
    TM_ASSIGN_OR_RETURN(ExprPtr to, ParseUnit());
    expr->unit_to = to->text;
    TM_ASSIGN_OR_RETURN(precision, ParseOptionalPrecision(0, 9));
  }
  expr->position = Span(position);
  return Finish(std::move(expr));
}

Result<ExprPtr> Parser::ParseBracketed(Expr::Kind kind) {
  std::shared_ptr<Expr> expr = Make(kind, Here());
  Take();
  Take();
  if (!IsSymbol("]")) {
    do {
      TM_ASSIGN_OR_RETURN(ExprPtr item, ParseExpr());
      expr->args.push_back(std::move(item));
    } while (AcceptSymbol(","));
  }
  if (!AcceptSymbol("]")) return Expected("',' or ']'");
  if (kind == Expr::Kind::kMap && expr->args.size() % 2 != 0) {
    return Status(kSyntaxError, "MAP takes pairs of key and value").At(expr->position);
  }
  return Finish(std::move(expr));
}

Result<ExprPtr> Parser::ParseUnit() {
  if (Peek().kind != TokenKind::kWord || !IsTimeUnit(Peek().upper)) {
    return Expected("a time unit",
                    {"YEAR", "QUARTER", "MONTH", "WEEK", "DAY", "HOUR", "MINUTE", "SECOND", "MILLISECOND"});
  }
  std::shared_ptr<Expr> expr = Make(Expr::Kind::kUnit, Here());
  expr->text = CanonicalTimeUnit(Take().upper);
  return Finish(std::move(expr));
}

}  // namespace tidemill
