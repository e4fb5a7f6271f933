#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "sql/expression.h"

namespace tidemill {

// Bound expressions with their types and implicit casts. Binder and rules make every expression here (and MakeColumn).

ExpressionPtr MakeLiteral(std::shared_ptr<arrow::Scalar> value, DataType type, SourcePosition position);
ExpressionPtr MakeNullLiteral(DataType type, SourcePosition position);
ExpressionPtr MakeBooleanLiteral(bool value, SourcePosition position);
ExpressionPtr MakeStringLiteral(std::string value, SourcePosition position);
ExpressionPtr MakeIntLiteral(int32_t value, SourcePosition position);
bool IsLiteral(const Expression& expression);
bool IsNullLiteral(const Expression& expression);
// The value of a TRUE or FALSE literal.
std::optional<bool> BooleanValue(const Expression& expression);

// The expression as `type` (its own nullability kept); itself when it is of that type already.
ExpressionPtr CastTo(const ExpressionPtr& expression, const DataType& type);
// CAST or TRY_CAST as written; kTypeMismatch when no such cast exists.
Result<ExpressionPtr> MakeExplicitCast(ExpressionPtr expression, const DataType& type, bool try_cast,
                                       SourcePosition position);
// kTypeMismatch unless the cast loses nothing. `what` names the place: "column 'a' of 't'".
Result<ExpressionPtr> MakeImplicitCast(const ExpressionPtr& expression, const DataType& type, std::string_view what);

// A call of a built-in function, arguments cast to what it takes.
Result<ExpressionPtr> MakeCall(std::string_view upper_name, std::vector<ExpressionPtr> args, SourcePosition position);
// AND / OR of BOOLEANs, flattened; one argument is returned as it is.
ExpressionPtr MakeLogical(Expression::Kind kind, std::vector<ExpressionPtr> args, SourcePosition position);
// Branches and the last `otherwise` are brought to their common type.
Result<ExpressionPtr> MakeCase(std::vector<ExpressionPtr> args, SourcePosition position);
Result<ExpressionPtr> MakeCoalesce(std::vector<ExpressionPtr> args, SourcePosition position);
// The least type of all, NULL literals left aside.
Result<DataType> CommonTypeOfExpressions(const std::vector<ExpressionPtr>& expressions);
// The conjuncts of a predicate, and back.
void SplitConjuncts(const ExpressionPtr& predicate, std::vector<ExpressionPtr>& out);
ExpressionPtr JoinConjuncts(std::vector<ExpressionPtr> conjuncts);

// Column i becomes replacements[i] (types must agree).
ExpressionPtr SubstituteColumns(const ExpressionPtr& expression, const std::vector<ExpressionPtr>& replacements);
// Number of nodes.
int ExpressionSize(const Expression& expression);

}  // namespace tidemill
