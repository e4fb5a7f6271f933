#include <algorithm>

#include <fmt/format.h>

#include "base/config.h"
#include "sql/binder/expression_binder.h"
#include "sql/errors.h"

namespace tidemill {
namespace {

using ast::Expr;

bool IsBooleanish(const DataType& type) { return type.kind() == TypeKind::kBoolean || type.kind() == TypeKind::kNull; }

Status RequireBoolean(const ExpressionPtr& e, std::string_view what) {
  if (IsBooleanish(e->type)) return Status::OK();
  return Status(kTypeMismatch, fmt::format("{} must be BOOLEAN, found {}", what, e->type.WithNullable(true).ToString()))
      .At(e->position);
}

Result<ExpressionPtr> Negate(ExpressionPtr e, const SourcePosition& position) {
  return MakeCall("NOT", {std::move(e)}, position);
}

}  // namespace

bool ContainsAggregate(const Expr& expr) {
  if (expr.kind == Expr::Kind::kCall && !expr.over) {
    const AggregateFunction* function = FunctionRegistry::BuiltIn().FindAggregate(expr.op);
    if (function && !function->over_only) return true;
  }
  for (const ast::ExprPtr& arg : expr.args) {
    if (arg && ContainsAggregate(*arg)) return true;
  }
  if (expr.over) {
    for (const ast::ExprPtr& key : expr.over->partition) {
      if (ContainsAggregate(*key)) return true;
    }
    for (const ast::SortItem& item : expr.over->order) {
      if (ContainsAggregate(*item.expr)) return true;
    }
  }
  return false;
}

Result<std::vector<ExpressionPtr>> ExpressionBinder::BindAll(const std::vector<ast::ExprPtr>& list) {
  std::vector<ExpressionPtr> out;
  out.reserve(list.size());
  for (const ast::ExprPtr& item : list) {
    TM_ASSIGN_OR_RETURN(ExpressionPtr e, Bind(*item));
    out.push_back(std::move(e));
  }
  return out;
}

Result<ExpressionPtr> ExpressionBinder::BindCondition(const Expr& expr) {
  TM_ASSIGN_OR_RETURN(ExpressionPtr e, Bind(expr));
  TM_RETURN_IF_ERROR(RequireBoolean(e, context_.clause));
  return CastTo(e, DataType(TypeKind::kBoolean));
}

Result<ExpressionPtr> ExpressionBinder::Bind(const Expr& expr) {
  switch (expr.kind) {
    case Expr::Kind::kName:
      return BindName(expr);
    case Expr::Kind::kNumber:
      return BindNumberLiteral(expr.text, false, expr.position);
    case Expr::Kind::kString:
      return MakeStringLiteral(expr.text, expr.position);
    case Expr::Kind::kBinary:
      return BindBinaryLiteral(expr.text, expr.position);
    case Expr::Kind::kBoolean:
      return MakeBooleanLiteral(expr.flag, expr.position);
    case Expr::Kind::kNull:
      return MakeNullLiteral(DataType(TypeKind::kNull), expr.position);
    case Expr::Kind::kDateTime:
      return BindDateTimeLiteral(expr.op, expr.text, expr.position);
    case Expr::Kind::kInterval:
      return BindIntervalLiteral(expr);
    case Expr::Kind::kUnary:
      return BindUnary(expr);
    case Expr::Kind::kBinaryOp:
      return BindBinary(expr);
    case Expr::Kind::kAnd:
    case Expr::Kind::kOr: {
      TM_ASSIGN_OR_RETURN(std::vector<ExpressionPtr> args, BindAll(expr.args));
      for (const ExpressionPtr& arg : args) {
        TM_RETURN_IF_ERROR(
            RequireBoolean(arg, expr.kind == Expr::Kind::kAnd ? "an operand of AND" : "an operand of OR"));
      }
      return MakeLogical(expr.kind == Expr::Kind::kAnd ? Expression::Kind::kAnd : Expression::Kind::kOr,
                         std::move(args), expr.position);
    }
    case Expr::Kind::kBetween:
      return BindBetween(expr);
    case Expr::Kind::kIn:
      return BindIn(expr);
    case Expr::Kind::kLike:
      return BindLike(expr);
    case Expr::Kind::kCase:
      return BindCase(expr);
    case Expr::Kind::kCast: {
      TM_ASSIGN_OR_RETURN(ExpressionPtr arg, Bind(*expr.args[0]));
      return MakeExplicitCast(std::move(arg), expr.type, expr.flag, expr.position);
    }
    case Expr::Kind::kCall:
      return BindCall(expr);
    case Expr::Kind::kArray:
    case Expr::Kind::kMap:
    case Expr::Kind::kRow: {
      TM_ASSIGN_OR_RETURN(std::vector<ExpressionPtr> args, BindAll(expr.args));
      return MakeCall(expr.kind == Expr::Kind::kArray ? "ARRAY"
                      : expr.kind == Expr::Kind::kMap ? "MAP"
                                                      : "ROW",
                      std::move(args), expr.position);
    }
    case Expr::Kind::kIndex: {
      TM_ASSIGN_OR_RETURN(std::vector<ExpressionPtr> args, BindAll(expr.args));
      return MakeCall("ITEM", std::move(args), expr.position);
    }
    case Expr::Kind::kField: {
      TM_ASSIGN_OR_RETURN(ExpressionPtr row, Bind(*expr.args[0]));
      return SelectField(std::move(row), expr.names[0]);
    }
    case Expr::Kind::kUnit:
      return MakeStringLiteral(expr.text, expr.position);
    case Expr::Kind::kStar:
      return Status(kSyntaxError, "'*' stands only in a SELECT list or in COUNT(*)").At(expr.position);
    case Expr::Kind::kSubquery:
      return Status(kUnsupportedSyntax, fmt::format("{} is not supported", expr.op.empty() ? "a subquery as a value"
                                                                           : expr.op == "EXISTS" ? "EXISTS (subquery)"
                                                                                                 : "IN (subquery)"))
          .At(expr.position);
    case Expr::Kind::kDescriptor:
    case Expr::Kind::kTableArg:
    case Expr::Kind::kModelArg:
    case Expr::Kind::kNamedArg:
      return Status(kSyntaxError, "this argument is only for table functions").At(expr.position);
  }
  return Status(kInternalError, "unknown expression").At(expr.position);
}

Result<ExpressionPtr> ExpressionBinder::BindName(const Expr& expr) {
  TM_ASSIGN_OR_RETURN(ResolvedName found, ResolveColumn(*context_.relation, expr.names));
  ExpressionPtr e = MakeColumn(found.column, context_.relation->columns[found.column].type, expr.position);
  for (size_t i = found.parts; i < expr.names.size(); ++i) {
    TM_ASSIGN_OR_RETURN(e, SelectField(std::move(e), expr.names[i]));
  }
  return e;
}

Result<ExpressionPtr> ExpressionBinder::SelectField(ExpressionPtr row, const ast::Name& field) {
  if (row->type.kind() != TypeKind::kRow) {
    return Status(kTypeMismatch, fmt::format("'.{}' selects a field of a ROW, found {}", field.text,
                                             row->type.WithNullable(true).ToString()))
        .At(field.position);
  }
  std::vector<std::string> names;
  for (const Field& child : row->type.children()) {
    if (child.name == field.text)
      return MakeCall("FIELD", {std::move(row), MakeStringLiteral(field.text, field.position)}, field.position);
    names.push_back(child.name);
  }
  Status status = Status(kColumnNotFound,
                         fmt::format("field '{}' not found in {}", field.text, row->type.WithNullable(true).ToString()))
                      .At(field.position);
  std::string nearest = NearestName(field.text, names);
  return nearest.empty() ? status : status.WithHint(fmt::format("did you mean '{}'?", nearest));
}

Result<ExpressionPtr> ExpressionBinder::BindUnary(const Expr& expr) {
  const Expr& operand = *expr.args[0];
  if (expr.op == "-" && operand.kind == Expr::Kind::kNumber)
    return BindNumberLiteral(operand.text, true, expr.position);
  TM_ASSIGN_OR_RETURN(ExpressionPtr arg, Bind(operand));
  if (expr.op == "NOT") TM_RETURN_IF_ERROR(RequireBoolean(arg, "the operand of NOT"));
  if (expr.op == "+") {
    if (arg->type.IsNumeric() || arg->type.IsInterval()) return arg;
    return Status(kTypeMismatch, fmt::format("'+' takes a number, found {}", arg->type.WithNullable(true).ToString()))
        .At(expr.position);
  }
  return MakeCall(expr.op == "-" ? "NEGATE" : expr.op, {std::move(arg)}, expr.position);
}

Result<ExpressionPtr> ExpressionBinder::BindBinary(const Expr& expr) {
  TM_ASSIGN_OR_RETURN(std::vector<ExpressionPtr> args, BindAll(expr.args));
  return MakeCall(expr.op, std::move(args), expr.position);
}

Result<ExpressionPtr> ExpressionBinder::BindBetween(const Expr& expr) {
  TM_ASSIGN_OR_RETURN(std::vector<ExpressionPtr> args, BindAll(expr.args));
  auto range = [&](const ExpressionPtr& low, const ExpressionPtr& high) -> Result<ExpressionPtr> {
    TM_ASSIGN_OR_RETURN(ExpressionPtr from, MakeCall(">=", {args[0], low}, expr.position));
    TM_ASSIGN_OR_RETURN(ExpressionPtr to, MakeCall("<=", {args[0], high}, expr.position));
    return MakeLogical(Expression::Kind::kAnd, {std::move(from), std::move(to)}, expr.position);
  };
  TM_ASSIGN_OR_RETURN(ExpressionPtr e, range(args[1], args[2]));
  if (expr.op == "SYMMETRIC") {
    TM_ASSIGN_OR_RETURN(ExpressionPtr reversed, range(args[2], args[1]));
    e = MakeLogical(Expression::Kind::kOr, {std::move(e), std::move(reversed)}, expr.position);
  }
  return expr.flag ? Negate(std::move(e), expr.position) : Result<ExpressionPtr>(std::move(e));
}

Result<ExpressionPtr> ExpressionBinder::BindIn(const Expr& expr) {
  TM_ASSIGN_OR_RETURN(std::vector<ExpressionPtr> args, BindAll(expr.args));
  // A list of constants is looked up; anything else is compared one by one, in order.
  constexpr size_t kComparedMax = 4;
  const bool constants =
      std::all_of(args.begin() + 1, args.end(), [](const ExpressionPtr& e) { return IsLiteral(*e); });
  if (constants && args.size() > kComparedMax + 1) {
    TM_ASSIGN_OR_RETURN(ExpressionPtr found, MakeCall("IN", std::move(args), expr.position));
    return expr.flag ? Negate(std::move(found), expr.position) : Result<ExpressionPtr>(std::move(found));
  }
  std::vector<ExpressionPtr> equal;
  for (size_t i = 1; i < args.size(); ++i) {
    TM_ASSIGN_OR_RETURN(ExpressionPtr e, MakeCall("=", {args[0], args[i]}, args[i]->position));
    equal.push_back(std::move(e));
  }
  ExpressionPtr e = MakeLogical(Expression::Kind::kOr, std::move(equal), expr.position);
  return expr.flag ? Negate(std::move(e), expr.position) : Result<ExpressionPtr>(std::move(e));
}

Result<ExpressionPtr> ExpressionBinder::BindLike(const Expr& expr) {
  TM_ASSIGN_OR_RETURN(std::vector<ExpressionPtr> args, BindAll(expr.args));
  if (expr.op != "LIKE" && !FunctionRegistry::BuiltIn().FindScalar(expr.op)) {
    return Status(kUnsupportedSyntax, fmt::format("{} is not supported", expr.op))
        .At(expr.position)
        .WithHint("LIKE, or REGEXP(text, pattern)");
  }
  TM_ASSIGN_OR_RETURN(ExpressionPtr e, MakeCall(expr.op, std::move(args), expr.position));
  return expr.flag ? Negate(std::move(e), expr.position) : Result<ExpressionPtr>(std::move(e));
}

Result<ExpressionPtr> ExpressionBinder::BindCase(const Expr& expr) {
  std::vector<ExpressionPtr> args;
  ExpressionPtr operand;
  size_t i = 0;
  if (expr.flag) {
    TM_ASSIGN_OR_RETURN(operand, Bind(*expr.args[0]));
    i = 1;
  }
  for (; i + 1 < expr.args.size(); i += 2) {
    TM_ASSIGN_OR_RETURN(ExpressionPtr when, Bind(*expr.args[i]));
    if (operand) {
      TM_ASSIGN_OR_RETURN(when, MakeCall("=", {operand, when}, when->position));
    } else {
      TM_RETURN_IF_ERROR(RequireBoolean(when, "the condition of WHEN"));
    }
    TM_ASSIGN_OR_RETURN(ExpressionPtr then, Bind(*expr.args[i + 1]));
    args.push_back(std::move(when));
    args.push_back(std::move(then));
  }
  ExpressionPtr otherwise = MakeNullLiteral(DataType(TypeKind::kNull), expr.position);
  if (expr.args.back()) {
    TM_ASSIGN_OR_RETURN(otherwise, Bind(*expr.args.back()));
  }
  args.push_back(std::move(otherwise));
  return MakeCase(std::move(args), expr.position);
}

}  // namespace tidemill
