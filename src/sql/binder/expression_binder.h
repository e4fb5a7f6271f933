#pragma once

#include <string>
#include <vector>

#include "sql/binder/scope.h"
#include "sql/expression_factory.h"
#include "sql/parser/ast.h"

namespace tidemill {

// Aggregate and OVER calls inside an expression become columns above these numbers until their nodes exist.
inline constexpr int kAggregatePlaceholder = 1 << 24;
inline constexpr int kOverPlaceholder = 1 << 25;

// An OVER call as found: arguments, partition and order are over the same columns as the expression around it.
struct PendingOver {
  AggregateCall call;
  OverFrame frame;
  std::vector<ExpressionPtr> partition;
  ExpressionPtr order;
  SourcePosition position;
};

// GROUP BY TUMBLE(ts, ...): the call, and where its window columns are.
struct GroupWindow {
  std::string kind;  // TUMBLE, HOP, SESSION
  std::vector<ExpressionPtr> args;
  int start = -1;
  int end = -1;
  int time = -1;
};

struct BindContext {
  const Relation* relation = nullptr;
  const char* clause = "SELECT";                     // for errors: "WHERE"
  std::vector<AggregateCall>* aggregates = nullptr;  // nullptr: aggregates are refused here
  std::vector<PendingOver>* overs = nullptr;         // nullptr: OVER is refused here
  const std::vector<ast::NamedWindow>* windows = nullptr;
  const GroupWindow* group_window = nullptr;
};

// Names to columns, operators and calls to functions, types and casts.
class ExpressionBinder {
 public:
  explicit ExpressionBinder(BindContext context) : context_(std::move(context)) {}
  Result<ExpressionPtr> Bind(const ast::Expr& expr);
  // A BOOLEAN, or kTypeMismatch that names the clause.
  Result<ExpressionPtr> BindCondition(const ast::Expr& expr);

 private:
  Result<ExpressionPtr> BindName(const ast::Expr& expr);
  Result<ExpressionPtr> SelectField(ExpressionPtr row, const ast::Name& field);
  Result<ExpressionPtr> BindUnary(const ast::Expr& expr);
  Result<ExpressionPtr> BindBinary(const ast::Expr& expr);
  Result<ExpressionPtr> BindBetween(const ast::Expr& expr);
  Result<ExpressionPtr> BindIn(const ast::Expr& expr);
  Result<ExpressionPtr> BindLike(const ast::Expr& expr);
  Result<ExpressionPtr> BindCase(const ast::Expr& expr);
  Result<ExpressionPtr> BindCall(const ast::Expr& expr);
  Result<ExpressionPtr> BindSpecialCall(const ast::Expr& expr, bool& matched);
  Result<ExpressionPtr> BindGroupWindowCall(const ast::Expr& expr);
  Result<AggregateCall> BindAggregate(const ast::Expr& expr, const AggregateFunction& function);
  Result<ExpressionPtr> BindOver(const ast::Expr& expr, const AggregateFunction& function);
  Status BindFrame(const ast::WindowDefinition& window, const AggregateFunction& function, OverFrame& out);
  Result<ast::WindowDefinition> ResolveWindow(const ast::WindowDefinition& window) const;
  Result<std::vector<ExpressionPtr>> BindAll(const std::vector<ast::ExprPtr>& list);

  BindContext context_;
};

// Literals as written; see sql.md for their types.
Result<ExpressionPtr> BindNumberLiteral(const std::string& text, bool negative, const SourcePosition& position);
Result<ExpressionPtr> BindBinaryLiteral(const std::string& hex, const SourcePosition& position);
Result<ExpressionPtr> BindDateTimeLiteral(const std::string& kind, const std::string& text,
                                          const SourcePosition& position);
Result<ExpressionPtr> BindIntervalLiteral(const ast::Expr& expr);
// A constant whole number, or nullopt.
std::optional<int64_t> IntegerValue(const Expression& expression);
// Milliseconds of a constant INTERVAL DAY TO SECOND, or nullopt.
std::optional<int64_t> IntervalMillis(const Expression& expression);
// True when an aggregate call without OVER stands in the expression.
bool ContainsAggregate(const ast::Expr& expr);

}  // namespace tidemill
