#include <algorithm>

#include <fmt/format.h>

#include "base/config.h"
#include "sql/binder/expression_binder.h"
#include "sql/errors.h"
#include "sql/structure.h"

namespace tidemill {
namespace {

using ast::Expr;

std::string LowerCase(std::string_view text) {
  std::string out(text);
  std::transform(out.begin(), out.end(), out.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
  return out;
}

Status UnknownFunction(const Expr& expr) {
  Status status = Status(kNoSuchFunction, fmt::format("function '{}' not found", expr.written)).At(expr.position);
  std::string nearest = NearestName(expr.op, FunctionRegistry::BuiltIn().names());
  return nearest.empty() ? status : status.WithHint(fmt::format("did you mean '{}'?", nearest));
}

bool IsWindowFunctionName(std::string_view op) {
  return op == "TUMBLE" || op == "HOP" || op == "SESSION" || op == "CUMULATE";
}

// A call that an earlier one equals shares its column.
bool SameAggregate(const AggregateCall& a, const AggregateCall& b) {
  if (a.function != b.function || a.resolved.distinct != b.resolved.distinct || a.offset != b.offset ||
      a.args.size() != b.args.size() || a.resolved.separator != b.resolved.separator ||
      !SameExpression(a.filter, b.filter)) {
    return false;
  }
  for (size_t i = 0; i < a.args.size(); ++i) {
    if (!SameExpression(a.args[i], b.args[i]) || !a.args[i]->IsDeterministic()) return false;
  }
  return true;
}

}  // namespace

Result<ExpressionPtr> ExpressionBinder::BindCall(const Expr& expr) {
  bool matched = false;
  TM_ASSIGN_OR_RETURN(ExpressionPtr special, BindSpecialCall(expr, matched));
  if (matched) return special;
  const FunctionRegistry& registry = FunctionRegistry::BuiltIn();
  const AggregateFunction* aggregate = registry.FindAggregate(expr.op);
  if (expr.over) {
    if (!aggregate) {
      if (!registry.FindScalar(expr.op)) return UnknownFunction(expr);
      return Status(kInvalidAggregate, fmt::format("{} is not an aggregate: it takes no OVER", expr.op))
          .At(expr.position);
    }
    return BindOver(expr, *aggregate);
  }
  if (aggregate && aggregate->over_only) {
    return Status(kInvalidAggregate, fmt::format("{} needs OVER (...)", expr.op)).At(expr.position);
  }
  if (aggregate) {
    if (!context_.aggregates) {
      return Status(kInvalidAggregate, fmt::format("{} can't stand in {}", expr.op, context_.clause)).At(expr.position);
    }
    TM_ASSIGN_OR_RETURN(AggregateCall call, BindAggregate(expr, *aggregate));
    std::vector<AggregateCall>& calls = *context_.aggregates;
    for (size_t i = 0; i < calls.size(); ++i) {
      if (SameAggregate(calls[i], call))
        return MakeColumn(kAggregatePlaceholder + static_cast<int>(i), call.resolved.result, expr.position);
    }
    DataType type = call.resolved.result;
    calls.push_back(std::move(call));
    return MakeColumn(kAggregatePlaceholder + static_cast<int>(calls.size()) - 1, std::move(type), expr.position);
  }
  if (!registry.FindScalar(expr.op)) return UnknownFunction(expr);
  if (expr.distinct || expr.star || expr.filter) {
    return Status(kInvalidAggregate, fmt::format("{} is not an aggregate: it takes no {}", expr.op,
                                                 expr.distinct ? "DISTINCT"
                                                 : expr.star   ? "*"
                                                               : "FILTER"))
        .At(expr.position);
  }
  TM_ASSIGN_OR_RETURN(std::vector<ExpressionPtr> args, BindAll(expr.args));
  return MakeCall(expr.op, std::move(args), expr.position);
}

// Calls that are not rows of the function table.
Result<ExpressionPtr> ExpressionBinder::BindSpecialCall(const Expr& expr, bool& matched) {
  matched = true;
  const std::string& op = expr.op;
  auto arity = [&](size_t least, size_t most) -> Status {
    if (expr.args.size() >= least && expr.args.size() <= most) return Status::OK();
    return Status(kWrongArguments, fmt::format("{} takes {}{} arguments, given {}", op, least,
                                               most == least ? "" : " or more", expr.args.size()))
        .At(expr.position);
  };
  if (op == "COALESCE" || op == "IFNULL") {
    TM_RETURN_IF_ERROR(arity(op == "IFNULL" ? 2 : 1, op == "IFNULL" ? 2 : SIZE_MAX));
    TM_ASSIGN_OR_RETURN(std::vector<ExpressionPtr> args, BindAll(expr.args));
    return MakeCoalesce(std::move(args), expr.position);
  }
  if (op == "IF") {
    TM_RETURN_IF_ERROR(arity(3, 3));
    TM_ASSIGN_OR_RETURN(std::vector<ExpressionPtr> args, BindAll(expr.args));
    if (args[0]->type.kind() != TypeKind::kBoolean && args[0]->type.kind() != TypeKind::kNull) {
      return Status(kTypeMismatch, fmt::format("the condition of IF must be BOOLEAN, found {}",
                                               args[0]->type.WithNullable(true).ToString()))
          .At(args[0]->position);
    }
    return MakeCase(std::move(args), expr.position);
  }
  if (op == "NULLIF") {
    TM_RETURN_IF_ERROR(arity(2, 2));
    TM_ASSIGN_OR_RETURN(std::vector<ExpressionPtr> args, BindAll(expr.args));
    TM_ASSIGN_OR_RETURN(ExpressionPtr equal, MakeCall("=", {args[0], args[1]}, expr.position));
    return MakeCase({std::move(equal), MakeNullLiteral(DataType(TypeKind::kNull), expr.position), args[0]},
                    expr.position);
  }
  if (op == "TRIM" && !expr.unit.empty()) {
    TM_ASSIGN_OR_RETURN(std::vector<ExpressionPtr> args, BindAll(expr.args));
    return MakeCall(expr.unit == "BOTH"      ? "TRIM"
                    : expr.unit == "LEADING" ? "LTRIM"
                                             : "RTRIM",
                    std::move(args), expr.position);
  }
  if (op == "CURRENT_WATERMARK" || op == "GROUPING" || op == "GROUPING_ID" || op == "GROUP_ID" ||
      op == "MATCH_ROWTIME" || op == "MATCH_PROCTIME") {
    return Status(kUnsupportedSyntax, fmt::format("{} is not supported", op)).At(expr.position);
  }
  const size_t split = op.rfind('_');
  if (split != std::string::npos && IsWindowFunctionName(std::string_view(op).substr(0, split))) {
    const std::string_view suffix = std::string_view(op).substr(split + 1);
    if (suffix == "START" || suffix == "END" || suffix == "ROWTIME" || suffix == "PROCTIME")
      return BindGroupWindowCall(expr);
  }
  if (IsWindowFunctionName(op)) {
    return Status(kInvalidWindow, fmt::format("{} stands in GROUP BY, or in FROM as {}(TABLE t, ...)", op, op))
        .At(expr.position);
  }
  if (op == "ML_PREDICT") {
    return Status(kUnsupportedSyntax,
                  "ML_PREDICT is a table function: FROM ML_PREDICT(TABLE t, MODEL m, DESCRIPTOR(...))")
        .At(expr.position);
  }
  matched = false;
  return ExpressionPtr();
}

// TUMBLE_START(ts, size) and its kin: columns of the window that GROUP BY makes.
Result<ExpressionPtr> ExpressionBinder::BindGroupWindowCall(const Expr& expr) {
  const size_t split = expr.op.rfind('_');
  const std::string kind = expr.op.substr(0, split);
  const std::string suffix = expr.op.substr(split + 1);
  const GroupWindow* window = context_.group_window;
  if (!window || window->kind != kind) {
    return Status(kInvalidWindow, fmt::format("{} needs GROUP BY {}(...) with the same arguments", expr.op, kind))
        .At(expr.position);
  }
  BindContext outer = context_;
  context_.aggregates = nullptr;
  Result<std::vector<ExpressionPtr>> args = BindAll(expr.args);
  context_ = outer;
  if (!args.ok()) return args.status();
  bool same = args->size() == window->args.size();
  for (size_t i = 0; same && i < args->size(); ++i) same = (*args)[i]->Equals(*window->args[i]);
  if (!same) {
    return Status(kInvalidWindow, fmt::format("{} has other arguments than GROUP BY {}(...)", expr.op, kind))
        .At(expr.position);
  }
  if (suffix == "PROCTIME")
    return Status(kUnsupportedSyntax, fmt::format("{} is not supported", expr.op)).At(expr.position);
  const int column = suffix == "START" ? window->start : suffix == "END" ? window->end : window->time;
  return MakeColumn(column, context_.relation->columns[column].type, expr.position);
}

Result<AggregateCall> ExpressionBinder::BindAggregate(const Expr& expr, const AggregateFunction& function) {
  const std::string clause = fmt::format("the arguments of {}", expr.op);
  const BindContext outer = context_;
  context_.aggregates = expr.over ? outer.aggregates : nullptr;  // SUM(COUNT(*)) OVER ... is an OVER of an aggregate
  context_.overs = nullptr;
  context_.clause = clause.c_str();
  Result<std::vector<ExpressionPtr>> args = BindAll(expr.args);
  Result<ExpressionPtr> filter = ExpressionPtr();
  if (args.ok() && expr.filter) {
    context_.clause = "FILTER";
    filter = BindCondition(*expr.filter);
  }
  context_ = outer;
  if (!args.ok()) return args.status();
  if (!filter.ok()) return filter.status();
  std::vector<arrow::Datum> literals(args->size());
  std::vector<ArgumentInfo> infos(args->size());
  for (size_t i = 0; i < args->size(); ++i) {
    infos[i].type = (*args)[i]->type;
    if (!IsLiteral(*(*args)[i])) continue;
    literals[i] = arrow::Datum((*args)[i]->literal);
    infos[i].literal = &literals[i];
  }
  if (expr.star && expr.op != "COUNT") {
    return Status(kInvalidAggregate, fmt::format("'*' is only for COUNT, not {}", expr.op)).At(expr.position);
  }
  Result<ResolvedAggregate> resolved = function.resolve(infos, expr.distinct);
  if (!resolved.ok()) return resolved.status().At(expr.position).WithNote(fmt::format("usage: {}", function.signature));
  AggregateCall call;
  call.function = &function;
  call.resolved = *std::move(resolved);
  // Trailing constants (separator, offset) are in `resolved` or `offset`, not columns.
  for (size_t i = 0; i < args->size() && i < call.resolved.arguments.size(); ++i) {
    call.args.push_back(CastTo((*args)[i], call.resolved.arguments[i]));
  }
  if (function.name == "LAG" && args->size() > 2) {
    return Status(kUnsupportedSyntax, "the default of LAG is not supported")
        .At((*args)[2]->position)
        .WithHint("COALESCE(LAG(...) OVER ..., default)");
  }
  if (function.name == "LAG" && args->size() > 1) {
    call.args.resize(1);
    std::optional<int64_t> offset = IntegerValue(*(*args)[1]);
    if (!offset || *offset < 0) {
      return Status(kInvalidAggregate, fmt::format("the offset of {} must be a constant whole number", function.name))
          .At((*args)[1]->position);
    }
    call.offset = *offset;
  }
  call.filter = *std::move(filter);
  call.name = LowerCase(function.name);
  call.position = expr.position;
  return call;
}

Result<ast::WindowDefinition> ExpressionBinder::ResolveWindow(const ast::WindowDefinition& window) const {
  if (window.base.empty()) return window;
  std::vector<std::string> names;
  if (context_.windows) {
    for (const ast::NamedWindow& named : *context_.windows) {
      names.push_back(named.name.text);
      if (named.name.text != window.base) continue;
      if (!named.definition.base.empty() && named.definition.base == window.base) break;
      TM_ASSIGN_OR_RETURN(ast::WindowDefinition merged, ResolveWindow(named.definition));
      auto clash = [&](const char* what) {
        return Status(kInvalidWindow, fmt::format("window '{}' has its own {}", window.base, what)).At(window.position);
      };
      if (!window.partition.empty()) return clash("PARTITION BY");
      if (!window.order.empty()) {
        if (!merged.order.empty()) return clash("ORDER BY");
        merged.order = window.order;
      }
      if (window.has_frame) {
        if (merged.has_frame) return clash("frame");
        merged.has_frame = true;
        merged.rows = window.rows;
        merged.lower = window.lower;
        merged.upper = window.upper;
        merged.lower_value = window.lower_value;
        merged.upper_value = window.upper_value;
        merged.frame_position = window.frame_position;
      }
      merged.base.clear();
      return merged;
    }
  }
  Status status = Status(kInvalidWindow, fmt::format("window '{}' not found", window.base)).At(window.position);
  std::string nearest = NearestName(window.base, names);
  return status.WithHint(nearest.empty() ? fmt::format("declare it: WINDOW {} AS (...)", window.base)
                                         : fmt::format("did you mean '{}'?", nearest));
}

Status ExpressionBinder::BindFrame(const ast::WindowDefinition& window, const AggregateFunction& function,
                                   OverFrame& out) {
  using Bound = ast::WindowDefinition::Bound;
  if (!window.has_frame) return Status::OK();
  auto fail = [&](std::string why) { return Status(kInvalidWindow, std::move(why)).At(window.frame_position); };
  if (function.over_only) return fail(fmt::format("{} takes no frame", function.name));
  out.unit = window.rows ? OverFrame::Unit::kRows : OverFrame::Unit::kRange;
  if (window.upper != Bound::kCurrentRow) return fail("a frame ends at CURRENT ROW: what comes later is not known yet");
  if (window.lower == Bound::kUnboundedPreceding) return Status::OK();
  out.unbounded = false;
  if (window.lower == Bound::kCurrentRow) {
    out.preceding = 0;
    return Status::OK();
  }
  if (window.lower != Bound::kPreceding)
    return fail("a frame starts at UNBOUNDED PRECEDING, a bound PRECEDING, or CURRENT ROW");
  TM_ASSIGN_OR_RETURN(ExpressionPtr value, Bind(*window.lower_value));
  std::optional<int64_t> amount = window.rows ? IntegerValue(*value) : IntervalMillis(*value);
  if (!amount || *amount < 0) {
    return Status(kInvalidWindow, window.rows ? "ROWS takes a constant number of rows"
                                              : "RANGE takes a constant INTERVAL of days or less")
        .At(value->position)
        .WithHint(window.rows ? "ROWS BETWEEN 9 PRECEDING AND CURRENT ROW"
                              : "RANGE BETWEEN INTERVAL '1' HOUR PRECEDING AND CURRENT ROW");
  }
  out.preceding = *amount;
  return Status::OK();
}

Result<ExpressionPtr> ExpressionBinder::BindOver(const Expr& expr, const AggregateFunction& function) {
  if (!context_.overs) {
    return Status(kInvalidAggregate, fmt::format("{} ... OVER can't stand in {}", expr.op, context_.clause))
        .At(expr.position);
  }
  TM_ASSIGN_OR_RETURN(ast::WindowDefinition window, ResolveWindow(*expr.over));
  PendingOver pending;
  pending.position = expr.position;
  TM_ASSIGN_OR_RETURN(pending.call, BindAggregate(expr, function));
  const BindContext outer = context_;
  context_.overs = nullptr;
  context_.clause = "OVER";
  Result<std::vector<ExpressionPtr>> partition = BindAll(window.partition);
  Result<ExpressionPtr> order = ExpressionPtr();
  if (partition.ok() && !window.order.empty()) order = Bind(*window.order[0].expr);
  Status frame = partition.ok() && order.ok() ? BindFrame(window, function, pending.frame) : Status::OK();
  context_ = outer;
  if (!partition.ok()) return partition.status();
  if (!order.ok()) return order.status();
  TM_RETURN_IF_ERROR(frame);
  if (window.order.empty()) {
    return Status(kInvalidWindow, "OVER needs ORDER BY the event time")
        .At(expr.over->position)
        .WithHint("OVER (PARTITION BY ... ORDER BY ts ...)");
  }
  if (window.order.size() > 1) {
    return Status(kUnsupportedSyntax, "ORDER BY of several columns in OVER is not supported")
        .At(window.order[1].expr->position);
  }
  if (window.order[0].descending) {
    return Status(kUnsupportedSyntax, "ORDER BY ... DESC in OVER is not supported").At(window.order[0].expr->position);
  }
  pending.partition = *std::move(partition);
  pending.order = *std::move(order);
  std::vector<PendingOver>& overs = *context_.overs;
  for (size_t i = 0; i < overs.size(); ++i) {
    const PendingOver& other = overs[i];
    if (!SameAggregate(other.call, pending.call) || !(other.frame == pending.frame) ||
        !SameExpression(other.order, pending.order) || other.partition.size() != pending.partition.size()) {
      continue;
    }
    bool same = true;
    for (size_t k = 0; k < pending.partition.size(); ++k)
      same = same && SameExpression(other.partition[k], pending.partition[k]);
    if (same) return MakeColumn(kOverPlaceholder + static_cast<int>(i), other.call.resolved.result, expr.position);
  }
  DataType type = pending.call.resolved.result;
  overs.push_back(std::move(pending));
  return MakeColumn(kOverPlaceholder + static_cast<int>(overs.size()) - 1, std::move(type), expr.position);
}

}  // namespace tidemill
