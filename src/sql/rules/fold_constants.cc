#include <arrow/api.h>

#include "sql/expression_factory.h"
#include "sql/node_factory.h"
#include "sql/rules/rules.h"

namespace tidemill {
namespace {

class Folder {
 public:
  Folder(const Clock& clock, const std::string& time_zone) : clock_(clock), time_zone_(time_zone) {
    one_row_.rows = arrow::RecordBatch::Make(arrow::schema({}), 1, arrow::ArrayVector{});
  }

  ExpressionPtr Fold(const ExpressionPtr& e) const {
    if (e->kind == Expression::Kind::kColumn || e->kind == Expression::Kind::kLiteral) return e;
    ExpressionPtr folded = FoldArguments(e);
    switch (folded->kind) {
      case Expression::Kind::kAnd:
      case Expression::Kind::kOr:
        return FoldLogical(folded);
      case Expression::Kind::kCase:
        return FoldCase(folded);
      default:
        break;
    }
    for (const ExpressionPtr& arg : folded->args) {
      if (!IsLiteral(*arg)) return folded;
    }
    if (!folded->IsDeterministic()) return folded;
    return Evaluate(folded);
  }

 private:
  ExpressionPtr FoldArguments(const ExpressionPtr& e) const {
    std::shared_ptr<Expression> copy;
    for (size_t i = 0; i < e->args.size(); ++i) {
      ExpressionPtr arg = Fold(e->args[i]);
      if (arg == e->args[i]) continue;
      if (!copy) copy = std::make_shared<Expression>(*e);
      copy->args[i] = std::move(arg);
    }
    return copy ? ExpressionPtr(std::move(copy)) : e;
  }

  ExpressionPtr Evaluate(const ExpressionPtr& e) const {
    ExpressionEvaluator evaluator({e}, clock_, time_zone_);
    std::vector<EvalContext::RowError> errors;
    Result<std::vector<std::shared_ptr<arrow::Array>>> values = evaluator.Evaluate(one_row_, errors);
    if (!values.ok() || !errors.empty()) return e;
    arrow::Result<std::shared_ptr<arrow::Scalar>> scalar = (*values)[0]->GetScalar(0);
    return scalar.ok() ? MakeLiteral(*scalar, e->type, e->position) : e;
  }

  // FALSE decides an AND, TRUE is left out; the other way round for OR.
  static ExpressionPtr FoldLogical(const ExpressionPtr& e) {
    const bool neutral = e->kind == Expression::Kind::kAnd;
    std::vector<ExpressionPtr> open;
    for (const ExpressionPtr& arg : e->args) {
      std::optional<bool> value = BooleanValue(*arg);
      if (!value) {
        open.push_back(arg);
      } else if (*value != neutral) {
        return MakeBooleanLiteral(!neutral, e->position);
      }
    }
    if (open.empty()) return MakeBooleanLiteral(neutral, e->position);
    return open.size() == e->args.size() ? e : MakeLogical(e->kind, std::move(open), e->position);
  }

  static ExpressionPtr FoldCase(const ExpressionPtr& e) {
    std::vector<ExpressionPtr> args;
    ExpressionPtr otherwise = e->args.back();
    for (size_t i = 0; i + 1 < e->args.size(); i += 2) {
      if (IsLiteral(*e->args[i])) {
        if (!BooleanValue(*e->args[i]).value_or(false)) continue;
        otherwise = e->args[i + 1];
        break;
      }
      args.push_back(e->args[i]);
      args.push_back(e->args[i + 1]);
    }
    if (args.empty()) return otherwise;
    args.push_back(otherwise);
    if (args.size() == e->args.size()) return e;
    auto copy = std::make_shared<Expression>(*e);
    copy->args = std::move(args);
    return copy;
  }

  const Clock& clock_;
  const std::string& time_zone_;
  Batch one_row_;
};

}  // namespace

ExpressionPtr FoldExpression(const ExpressionPtr& expression, const Clock& clock, const std::string& time_zone) {
  return Folder(clock, time_zone).Fold(expression);
}

PlanRoots FoldConstants(const PlanRoots& roots, const Clock& clock, const std::string& time_zone) {
  const Folder folder(clock, time_zone);
  return RewritePlan(roots, [&](const LogicalPtr& node) -> LogicalPtr {
    LogicalPtr folded = MapExpressions(node, [&](const ExpressionPtr& e) { return folder.Fold(e); });
    const auto* filter = std::get_if<FilterSpec>(&folded->spec);
    if (filter && BooleanValue(*filter->predicate).value_or(false)) return folded->inputs[0];
    return folded;
  });
}

}  // namespace tidemill
