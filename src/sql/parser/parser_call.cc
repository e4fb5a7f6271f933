#include <fmt/format.h>

#include "sql/parser/parser_impl.h"

namespace tidemill {
namespace {

using ast::Expr;
using ast::ExprPtr;

bool IsParameterless(std::string_view upper) {
  return upper == "CURRENT_DATE" || upper == "CURRENT_TIME" || upper == "CURRENT_TIMESTAMP" || upper == "LOCALTIME" ||
         upper == "LOCALTIMESTAMP";
}

}  // namespace

Result<ExprPtr> Parser::ParseNameOrCall() {
  const Token& first = Peek();
  SourcePosition position = Here();
  if (first.kind == TokenKind::kWord && IsSymbol("(", 1)) {
    Take();
    return ParseCall(first);
  }
  if (first.kind == TokenKind::kWord && IsParameterless(first.upper) && !IsSymbol(".", 1)) {
    std::shared_ptr<Expr> call = Make(Expr::Kind::kCall, position);
    call->op = first.upper;
    call->written = first.text;
    Take();
    return Finish(std::move(call));
  }
  std::shared_ptr<Expr> expr = Make(Expr::Kind::kName, position);
  expr->names.push_back({Take().text, position});
  while (IsSymbol(".")) {
    if (IsSymbol("*", 1)) {
      Take();
      Take();
      expr->kind = Expr::Kind::kStar;
      break;
    }
    if (Peek(1).kind != TokenKind::kWord && Peek(1).kind != TokenKind::kQuoted) {
      Take();
      return Expected("a name after '.'");
    }
    Take();
    SourcePosition part = Here();
    expr->names.push_back({Take().text, part});
  }
  expr->position = Span(position);
  return Finish(std::move(expr));
}

Result<ExprPtr> Parser::ParseCall(const Token& name) {
  bool matched = false;
  if (name.upper == "ROW") {
    std::shared_ptr<Expr> row = Make(Expr::Kind::kRow, PositionOf(name));
    TM_RETURN_IF_ERROR(ExpectSymbol("("));
    if (!IsSymbol(")")) {
      do {
        TM_ASSIGN_OR_RETURN(ExprPtr item, ParseExpr());
        row->args.push_back(std::move(item));
      } while (AcceptSymbol(","));
    }
    if (!AcceptSymbol(")")) return Expected("',' or ')'");
    return Finish(std::move(row));
  }
  if (name.upper == "DESCRIPTOR") {
    std::shared_ptr<Expr> descriptor = Make(Expr::Kind::kDescriptor, PositionOf(name));
    TM_ASSIGN_OR_RETURN(descriptor->names, ParseNameList("a column name"));
    return Finish(std::move(descriptor));
  }
  TM_ASSIGN_OR_RETURN(ExprPtr special, ParseSpecialCall(name, matched));
  if (matched) return special;
  std::shared_ptr<Expr> call = Make(Expr::Kind::kCall, PositionOf(name));
  call->op = name.upper;
  call->written = name.text;
  TM_RETURN_IF_ERROR(ParseArguments(*call));
  TM_RETURN_IF_ERROR(ParseCallSuffix(*call));
  return Finish(std::move(call));
}

// Calls with words between their arguments.
Result<ExprPtr> Parser::ParseSpecialCall(const Token& name, bool& matched) {
  std::shared_ptr<Expr> call = Make(Expr::Kind::kCall, PositionOf(name));
  call->op = name.upper;
  call->written = name.text;
  auto next = [&]() -> Status {
    TM_ASSIGN_OR_RETURN(ExprPtr arg, ParseExpr());
    call->args.push_back(std::move(arg));
    return Status::OK();
  };
  auto close = [&]() -> Result<ExprPtr> {
    if (!AcceptSymbol(")")) return Expected("')'");
    return Finish(call);
  };
  const std::string& op = call->op;
  matched = true;
  const size_t start = at_;
  if (op == "EXTRACT" || op == "TIMESTAMPDIFF" || op == "TIMESTAMPADD") {
    Take();
    TM_ASSIGN_OR_RETURN(ExprPtr unit, ParseUnit());
    call->args.push_back(std::move(unit));
    TM_RETURN_IF_ERROR(op == "EXTRACT" ? ExpectWord("FROM") : ExpectSymbol(","));
    TM_RETURN_IF_ERROR(next());
    if (op != "EXTRACT") {
      TM_RETURN_IF_ERROR(ExpectSymbol(","));
      TM_RETURN_IF_ERROR(next());
    }
    return close();
  }
  if (op == "FLOOR" || op == "CEIL" || op == "CEILING") {
    Take();
    TM_RETURN_IF_ERROR(next());
    if (AcceptWord("TO")) {
      TM_ASSIGN_OR_RETURN(ExprPtr unit, ParseUnit());
      call->args.push_back(std::move(unit));
    }
    return close();
  }
  if (op == "POSITION") {
    Take();
    // IN would be taken for the predicate: the needle is parsed tighter than that.
    TM_ASSIGN_OR_RETURN(ExprPtr needle, ParseExpr(35));
    call->args.push_back(std::move(needle));
    TM_RETURN_IF_ERROR(ExpectWord("IN"));
    TM_RETURN_IF_ERROR(next());
    return close();
  }
  if (op == "TRIM") {
    Take();
    std::string side = "BOTH";
    bool said = false;
    for (std::string_view word : {"BOTH", "LEADING", "TRAILING"}) {
      if (!IsWord(word)) continue;
      Take();
      side = word;
      said = true;
    }
    call->unit = side;
    if (said && AcceptWord("FROM")) {
      TM_RETURN_IF_ERROR(next());
      return close();
    }
    TM_RETURN_IF_ERROR(next());
    if (AcceptWord("FROM")) {
      TM_RETURN_IF_ERROR(next());
      std::swap(call->args[0], call->args[1]);  // text, then characters
    } else if (said || !IsSymbol(")")) {
      return Expected("FROM", {"FROM"});
    }
    return close();
  }
  if (op == "SUBSTRING" || op == "OVERLAY") {
    Take();
    TM_RETURN_IF_ERROR(next());
    if (op == "OVERLAY" && AcceptWord("PLACING")) {
      TM_RETURN_IF_ERROR(next());
      TM_RETURN_IF_ERROR(ExpectWord("FROM"));
    } else if (!AcceptWord("FROM")) {
      at_ = start;
      matched = false;
      return ExprPtr();
    }
    TM_RETURN_IF_ERROR(next());
    if (AcceptWord("FOR")) TM_RETURN_IF_ERROR(next());
    return close();
  }
  matched = false;
  return ExprPtr();
}

Status Parser::ParseArguments(Expr& call) {
  TM_RETURN_IF_ERROR(ExpectSymbol("("));
  if (AcceptSymbol(")")) return Status::OK();
  if (IsSymbol("*") && IsSymbol(")", 1)) {
    Take();
    Take();
    call.star = true;
    return Status::OK();
  }
  if (AcceptWord("DISTINCT")) {
    call.distinct = true;
  } else {
    AcceptWord("ALL");
  }
  do {
    TM_ASSIGN_OR_RETURN(ExprPtr arg, ParseArgument());
    call.args.push_back(std::move(arg));
  } while (AcceptSymbol(","));
  if (IsWord("ORDER")) return Unsupported(fmt::format("ORDER BY inside {}", call.op));
  if (call.op.starts_with("JSON_") && Peek().kind == TokenKind::kWord)
    return Unsupported(fmt::format("{} in {}", Peek().upper, call.op));
  if (IsWord("IGNORE") || IsWord("RESPECT")) return Unsupported(fmt::format("{} NULLS", Peek().upper));
  if (!AcceptSymbol(")")) return Expected("',' or ')'");
  return Status::OK();
}

Result<ExprPtr> Parser::ParseArgument() {
  SourcePosition position = Here();
  if (IsWord("TABLE")) {
    Take();
    std::shared_ptr<Expr> table = Make(Expr::Kind::kTableArg, position);
    if (AcceptSymbol("(")) {
      if (!StartsQuery()) return Expected("a query");
      TM_ASSIGN_OR_RETURN(table->query, ParseQuery());
      TM_RETURN_IF_ERROR(ExpectSymbol(")"));
    } else {
      TM_ASSIGN_OR_RETURN(ast::Name name, ParseObjectName("a table name"));
      table->names.push_back(std::move(name));
    }
    if (AcceptWords({"PARTITION", "BY"})) {
      const bool parenthesised = AcceptSymbol("(");
      do {
        TM_ASSIGN_OR_RETURN(ExprPtr key, ParseExpr());
        table->partition.push_back(std::move(key));
        // Without parentheses a comma may also start the next argument: keys are names, arguments never are.
      } while (parenthesised
                   ? AcceptSymbol(",")
                   : IsSymbol(",") && IsName(1) && !IsSymbol("=>", 2) && !IsSymbol("(", 2) && AcceptSymbol(","));
      if (parenthesised) TM_RETURN_IF_ERROR(ExpectSymbol(")"));
    }
    if (IsWord("ORDER")) return Unsupported("ORDER BY in a table argument");
    return Finish(std::move(table));
  }
  if (IsWord("MODEL") && (Peek(1).kind == TokenKind::kWord || Peek(1).kind == TokenKind::kQuoted)) {
    Take();
    std::shared_ptr<Expr> model = Make(Expr::Kind::kModelArg, position);
    TM_ASSIGN_OR_RETURN(ast::Name name, ParseObjectName("a model name"));
    model->names.push_back(std::move(name));
    return Finish(std::move(model));
  }
  if ((Peek().kind == TokenKind::kWord || Peek().kind == TokenKind::kQuoted) && IsSymbol("=>", 1)) {
    std::shared_ptr<Expr> named = Make(Expr::Kind::kNamedArg, position);
    named->names.push_back({Take().text, position});
    Take();
    TM_ASSIGN_OR_RETURN(ExprPtr value, ParseArgument());
    named->args.push_back(std::move(value));
    return Finish(std::move(named));
  }
  if (StartsQuery()) return Expected("an expression");
  return ParseExpr();
}

// WITHIN GROUP, FILTER, OVER.
Status Parser::ParseCallSuffix(Expr& call) {
  if (IsWords({"WITHIN", "GROUP"})) return Unsupported("WITHIN GROUP");
  if (IsWords({"WITHIN", "DISTINCT"})) return Unsupported("WITHIN DISTINCT");
  if ((IsWord("IGNORE") || IsWord("RESPECT")) && IsWord("NULLS", 1))
    return Unsupported(fmt::format("{} NULLS", Peek().upper));
  if (IsWord("FILTER") && IsSymbol("(", 1)) {
    Take();
    Take();
    TM_RETURN_IF_ERROR(ExpectWord("WHERE"));
    TM_ASSIGN_OR_RETURN(call.filter, ParseExpr());
    TM_RETURN_IF_ERROR(ExpectSymbol(")"));
  }
  if (IsWord("OVER")) {
    SourcePosition position = Here();
    Take();
    ast::WindowDefinition window;
    if (AcceptSymbol("(")) {
      TM_ASSIGN_OR_RETURN(window, ParseWindowDefinition());
    } else {
      TM_ASSIGN_OR_RETURN(ast::Name name, ParseName("a window name or '('"));
      window.base = name.text;
      position = name.position;
    }
    window.position = position;
    call.over = std::make_shared<const ast::WindowDefinition>(std::move(window));
  }
  return Status::OK();
}

Result<ast::WindowDefinition> Parser::ParseWindowDefinition() {
  ast::WindowDefinition window;
  window.position = Here();
  if (IsName() && !IsWord("PARTITION") && !IsWord("ORDER") && !IsWord("ROWS") && !IsWord("RANGE"))
    window.base = Take().text;
  if (AcceptWord("PARTITION")) {
    TM_RETURN_IF_ERROR(ExpectWord("BY"));
    do {
      TM_ASSIGN_OR_RETURN(ExprPtr key, ParseExpr());
      window.partition.push_back(std::move(key));
    } while (AcceptSymbol(","));
  }
  if (AcceptWord("ORDER")) {
    TM_RETURN_IF_ERROR(ExpectWord("BY"));
    TM_ASSIGN_OR_RETURN(window.order, ParseSortItems());
  }
  if (IsWord("GROUPS")) return Unsupported("GROUPS frames");
  if (IsWord("ROWS") || IsWord("RANGE")) TM_RETURN_IF_ERROR(ParseFrame(window));
  if (!AcceptSymbol(")"))
    return Expected("PARTITION BY, ORDER BY, ROWS, RANGE or ')'", {"PARTITION", "ORDER", "ROWS", "RANGE"});
  return window;
}

Status Parser::ParseFrame(ast::WindowDefinition& out) {
  out.has_frame = true;
  out.frame_position = Here();
  out.rows = Take().upper == "ROWS";
  if (AcceptWord("BETWEEN")) {
    TM_RETURN_IF_ERROR(ParseBound(out.lower, out.lower_value));
    TM_RETURN_IF_ERROR(ExpectWord("AND"));
    TM_RETURN_IF_ERROR(ParseBound(out.upper, out.upper_value));
  } else {
    TM_RETURN_IF_ERROR(ParseBound(out.lower, out.lower_value));
  }
  out.frame_position = Span(out.frame_position);
  if (IsWord("EXCLUDE")) return Unsupported("EXCLUDE in a frame");
  return Status::OK();
}

Status Parser::ParseBound(ast::WindowDefinition::Bound& bound, ExprPtr& value) {
  using Bound = ast::WindowDefinition::Bound;
  if (AcceptWords({"CURRENT", "ROW"})) {
    bound = Bound::kCurrentRow;
    return Status::OK();
  }
  bool unbounded = AcceptWord("UNBOUNDED");
  if (!unbounded) {
    TM_ASSIGN_OR_RETURN(value, ParseExpr());
  }
  if (AcceptWord("PRECEDING")) {
    bound = unbounded ? Bound::kUnboundedPreceding : Bound::kPreceding;
  } else if (AcceptWord("FOLLOWING")) {
    bound = unbounded ? Bound::kUnboundedFollowing : Bound::kFollowing;
  } else {
    return Expected("PRECEDING or FOLLOWING", {"PRECEDING", "FOLLOWING"});
  }
  return Status::OK();
}

}  // namespace tidemill
