#include "sql/expression_factory.h"

#include <arrow/api.h>
#include <fmt/format.h>

#include "base/config.h"
#include "sql/errors.h"

namespace tidemill {
namespace {

std::shared_ptr<Expression> NewExpression(Expression::Kind kind, DataType type, SourcePosition position) {
  auto e = std::make_shared<Expression>();
  e->kind = kind;
  e->type = std::move(type);
  e->position = std::move(position);
  return e;
}

bool AnyNullable(const std::vector<ExpressionPtr>& args) {
  for (const ExpressionPtr& arg : args) {
    if (arg->type.nullable()) return true;
  }
  return false;
}

}  // namespace

ExpressionPtr MakeLiteral(std::shared_ptr<arrow::Scalar> value, DataType type, SourcePosition position) {
  auto e = NewExpression(Expression::Kind::kLiteral, type.WithNullable(!value->is_valid), std::move(position));
  e->literal = std::move(value);
  return e;
}

ExpressionPtr MakeNullLiteral(DataType type, SourcePosition position) {
  return MakeLiteral(arrow::MakeNullScalar(ToArrow(type)), type, std::move(position));
}

ExpressionPtr MakeBooleanLiteral(bool value, SourcePosition position) {
  return MakeLiteral(std::make_shared<arrow::BooleanScalar>(value), DataType(TypeKind::kBoolean), std::move(position));
}

ExpressionPtr MakeStringLiteral(std::string value, SourcePosition position) {
  return MakeLiteral(std::make_shared<arrow::StringScalar>(std::move(value)), DataType(TypeKind::kString),
                     std::move(position));
}

ExpressionPtr MakeIntLiteral(int32_t value, SourcePosition position) {
  return MakeLiteral(std::make_shared<arrow::Int32Scalar>(value), DataType(TypeKind::kInt), std::move(position));
}

bool IsLiteral(const Expression& expression) { return expression.kind == Expression::Kind::kLiteral; }
bool IsNullLiteral(const Expression& expression) { return IsLiteral(expression) && !expression.literal->is_valid; }

std::optional<bool> BooleanValue(const Expression& expression) {
  if (!IsLiteral(expression) || expression.type.kind() != TypeKind::kBoolean || !expression.literal->is_valid)
    return std::nullopt;
  return static_cast<const arrow::BooleanScalar&>(*expression.literal).value;
}

ExpressionPtr CastTo(const ExpressionPtr& expression, const DataType& type) {
  if (expression->type.SameAs(type)) return expression;
  if (IsNullLiteral(*expression)) return MakeNullLiteral(type, expression->position);
  auto e = NewExpression(Expression::Kind::kCast, type.WithNullable(expression->type.nullable()), expression->position);
  e->args = {expression};
  return e;
}

Result<ExpressionPtr> MakeExplicitCast(ExpressionPtr expression, const DataType& type, bool try_cast,
                                       SourcePosition position) {
  if (IsNullLiteral(*expression)) return MakeNullLiteral(type, std::move(position));
  if (!ExplicitlyCastable(expression->type, type)) {
    return Status(kTypeMismatch, fmt::format("{} can't be cast to {}", expression->type.WithNullable(true).ToString(),
                                             type.WithNullable(true).ToString()))
        .At(position);
  }
  if (expression->type.SameAs(type)) return expression;
  auto e = NewExpression(Expression::Kind::kCast, type.WithNullable(try_cast || expression->type.nullable()),
                         std::move(position));
  e->args = {std::move(expression)};
  e->try_cast = try_cast;
  return ExpressionPtr(std::move(e));
}

Result<ExpressionPtr> MakeImplicitCast(const ExpressionPtr& expression, const DataType& type, std::string_view what) {
  if (expression->type.SameAs(type) || IsNullLiteral(*expression)) return CastTo(expression, type);
  if (!ImplicitlyCastable(expression->type, type)) {
    const std::string wanted = type.WithNullable(true).ToString();
    Status status = Status(kTypeMismatch, fmt::format("{} is {}, found {}", what, wanted,
                                                      expression->type.WithNullable(true).ToString()))
                        .At(expression->position);
    return ExplicitlyCastable(expression->type, type)
               ? status.WithHint(fmt::format("CAST(... AS {}) makes it fit", wanted))
               : status;
  }
  return CastTo(expression, type);
}

Result<ExpressionPtr> MakeCall(std::string_view upper_name, std::vector<ExpressionPtr> args, SourcePosition position) {
  const FunctionRegistry& registry = FunctionRegistry::BuiltIn();
  const ScalarFunction* function = registry.FindScalar(upper_name);
  if (!function) {
    Status status = Status(kNoSuchFunction, fmt::format("function '{}' not found", upper_name)).At(position);
    std::string nearest = NearestName(upper_name, registry.names());
    return nearest.empty() ? status : status.WithHint(fmt::format("did you mean '{}'?", nearest));
  }
  std::vector<arrow::Datum> literals(args.size());
  std::vector<ArgumentInfo> infos(args.size());
  for (size_t i = 0; i < args.size(); ++i) {
    infos[i].type = args[i]->type;
    if (!IsLiteral(*args[i])) continue;
    literals[i] = arrow::Datum(args[i]->literal);
    infos[i].literal = &literals[i];
  }
  Result<ResolvedCall> resolved = function->resolve(infos);
  if (!resolved.ok()) {
    Status status = resolved.status().At(position);
    return status.WithNote(fmt::format("usage: {}", function->signature));
  }
  auto e = NewExpression(Expression::Kind::kCall, resolved->result, std::move(position));
  e->function = function;
  for (size_t i = 0; i < args.size(); ++i) {
    e->args.push_back(i < resolved->arguments.size() ? CastTo(args[i], resolved->arguments[i]) : args[i]);
  }
  e->resolved = *std::move(resolved);
  return ExpressionPtr(std::move(e));
}

ExpressionPtr MakeLogical(Expression::Kind kind, std::vector<ExpressionPtr> args, SourcePosition position) {
  if (args.size() == 1) return args[0];
  std::vector<ExpressionPtr> flat;
  for (ExpressionPtr& arg : args) {
    if (arg->kind == kind) {
      flat.insert(flat.end(), arg->args.begin(), arg->args.end());
    } else {
      flat.push_back(CastTo(arg, DataType(TypeKind::kBoolean)));
    }
  }
  auto e = NewExpression(kind, DataType(TypeKind::kBoolean, AnyNullable(flat)), std::move(position));
  e->args = std::move(flat);
  return e;
}

Result<DataType> CommonTypeOfExpressions(const std::vector<ExpressionPtr>& expressions) {
  std::optional<DataType> common;
  bool nullable = false;
  for (const ExpressionPtr& e : expressions) {
    nullable = nullable || e->type.nullable();
    if (e->type.kind() == TypeKind::kNull) continue;
    if (!common) {
      common = e->type;
      continue;
    }
    Result<DataType> next = CommonType(*common, e->type);
    if (!next.ok()) {
      return Status(kTypeMismatch, fmt::format("{} and {} have no common type", common->WithNullable(true).ToString(),
                                               e->type.WithNullable(true).ToString()))
          .At(e->position);
    }
    common = *next;
  }
  if (!common) return DataType(TypeKind::kNull);
  return common->WithNullable(nullable);
}

Result<ExpressionPtr> MakeCase(std::vector<ExpressionPtr> args, SourcePosition position) {
  std::vector<ExpressionPtr> values;
  for (size_t i = 1; i < args.size(); i += 2) values.push_back(args[i]);
  values.push_back(args.back());
  TM_ASSIGN_OR_RETURN(DataType type, CommonTypeOfExpressions(values));
  auto e = NewExpression(Expression::Kind::kCase, type, std::move(position));
  for (size_t i = 0; i + 1 < args.size(); i += 2) {
    e->args.push_back(CastTo(args[i], DataType(TypeKind::kBoolean)));
    e->args.push_back(CastTo(args[i + 1], type));
  }
  e->args.push_back(CastTo(args.back(), type));
  return ExpressionPtr(std::move(e));
}

Result<ExpressionPtr> MakeCoalesce(std::vector<ExpressionPtr> args, SourcePosition position) {
  TM_ASSIGN_OR_RETURN(DataType type, CommonTypeOfExpressions(args));
  bool nullable = true;
  for (const ExpressionPtr& arg : args) nullable = nullable && arg->type.nullable();
  auto e = NewExpression(Expression::Kind::kCoalesce, type.WithNullable(nullable), std::move(position));
  for (const ExpressionPtr& arg : args) e->args.push_back(CastTo(arg, type));
  return ExpressionPtr(std::move(e));
}

void SplitConjuncts(const ExpressionPtr& predicate, std::vector<ExpressionPtr>& out) {
  if (predicate->kind != Expression::Kind::kAnd) {
    out.push_back(predicate);
    return;
  }
  for (const ExpressionPtr& arg : predicate->args) SplitConjuncts(arg, out);
}

ExpressionPtr JoinConjuncts(std::vector<ExpressionPtr> conjuncts) {
  if (conjuncts.empty()) return nullptr;
  SourcePosition position = conjuncts[0]->position;
  return MakeLogical(Expression::Kind::kAnd, std::move(conjuncts), std::move(position));
}

ExpressionPtr SubstituteColumns(const ExpressionPtr& expression, const std::vector<ExpressionPtr>& replacements) {
  if (expression->kind == Expression::Kind::kColumn) return replacements[expression->column];
  std::shared_ptr<Expression> copy;
  for (size_t i = 0; i < expression->args.size(); ++i) {
    ExpressionPtr arg = SubstituteColumns(expression->args[i], replacements);
    if (arg == expression->args[i]) continue;
    if (!copy) copy = std::make_shared<Expression>(*expression);
    copy->args[i] = std::move(arg);
  }
  return copy ? ExpressionPtr(std::move(copy)) : expression;
}

int ExpressionSize(const Expression& expression) {
  int size = 1;
  for (const ExpressionPtr& arg : expression.args) size += ExpressionSize(*arg);
  return size;
}

}  // namespace tidemill
