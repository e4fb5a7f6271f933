#include "sql/expression.h"

#include <algorithm>
#include <cctype>

#include <arrow/api.h>
#include <fmt/format.h>

namespace tidemill {
namespace {

std::string QuoteString(std::string_view text) {
  std::string out = "'";
  for (char c : text) {
    if (c == '\'') out += '\'';
    out += c;
  }
  return out + "'";
}

std::string IntervalText(int64_t ms) {
  struct Unit {
    int64_t ms;
    const char* name;
  };
  static constexpr Unit kUnits[] = {{86'400'000, "DAY"}, {3'600'000, "HOUR"}, {60'000, "MINUTE"}, {1000, "SECOND"}};
  const char* sign = ms < 0 ? "-" : "";
  uint64_t magnitude = ms < 0 ? -static_cast<uint64_t>(ms) : static_cast<uint64_t>(ms);
  for (const Unit& unit : kUnits) {
    if (magnitude != 0 && magnitude % unit.ms == 0)
      return fmt::format("INTERVAL {}'{}' {}", sign, magnitude / unit.ms, unit.name);
  }
  return fmt::format("INTERVAL {}'{}.{:03}' SECOND", sign, magnitude / 1000, magnitude % 1000);
}

std::string LiteralText(const arrow::Scalar& scalar, const DataType& type) {
  if (!scalar.is_valid) return "NULL";
  switch (type.kind()) {
    case TypeKind::kString:
      return QuoteString(static_cast<const arrow::BaseBinaryScalar&>(scalar).view());
    case TypeKind::kBytes: {
      std::string out = "X'";
      for (unsigned char c : static_cast<const arrow::BaseBinaryScalar&>(scalar).view())
        out += fmt::format("{:02X}", c);
      return out + "'";
    }
    case TypeKind::kBoolean:
      return static_cast<const arrow::BooleanScalar&>(scalar).value ? "TRUE" : "FALSE";
    case TypeKind::kDate:
      return "DATE " + QuoteString(scalar.ToString());
    case TypeKind::kTime:
      return "TIME " + QuoteString(scalar.ToString());
    case TypeKind::kTimestamp:
      return "TIMESTAMP " + QuoteString(scalar.ToString());
    case TypeKind::kTimestampLtz:
      return "TIMESTAMP_LTZ " + QuoteString(scalar.ToString());
    case TypeKind::kIntervalDay:
      return IntervalText(static_cast<const arrow::Int64Scalar&>(scalar).value);
    case TypeKind::kIntervalMonth: {
      int32_t months = static_cast<const arrow::Int32Scalar&>(scalar).value;
      if (months % 12 == 0) return fmt::format("INTERVAL '{}' YEAR", months / 12);
      return fmt::format("INTERVAL '{}' MONTH", months);
    }
    default:
      return scalar.ToString();
  }
}

bool IsInfix(const Expression& e) {
  if (e.kind == Expression::Kind::kAnd || e.kind == Expression::Kind::kOr) return true;
  if (e.kind != Expression::Kind::kCall || e.args.empty()) return false;
  std::string_view name = e.function->name;
  return !std::isalpha(static_cast<unsigned char>(name[0])) || name.starts_with("IS ") || name == "NOT" ||
         name == "NEGATE" || name == "LIKE" || name == "IN" || name == "SIMILAR TO";
}

std::string Text(const Expression& e, const std::vector<std::string>& names);

std::string Operand(const Expression& e, const std::vector<std::string>& names) {
  std::string text = Text(e, names);
  return IsInfix(e) ? "(" + text + ")" : text;
}

std::string JoinArgs(const Expression& e, const std::vector<std::string>& names) {
  std::string out;
  for (size_t i = 0; i < e.args.size(); ++i) {
    if (i > 0) out += ", ";
    out += Text(*e.args[i], names);
  }
  return out;
}

std::string CallText(const Expression& e, const std::vector<std::string>& names) {
  std::string_view name = e.function->name;
  if (name == "IN") {
    std::string list;
    for (size_t i = 1; i < e.args.size(); ++i) list += (i > 1 ? ", " : "") + Text(*e.args[i], names);
    return Operand(*e.args[0], names) + " IN (" + list + ")";
  }
  if (name == "ITEM" && e.args.size() == 2) return Operand(*e.args[0], names) + "[" + Text(*e.args[1], names) + "]";
  if (name == "FIELD" && e.args.size() == 2 && e.args[1]->kind == Expression::Kind::kLiteral) {
    return Operand(*e.args[0], names) + "." + e.args[1]->literal->ToString();
  }
  if (name == "ARRAY" || name == "MAP") return std::string(name) + "[" + JoinArgs(e, names) + "]";
  if (IsInfix(e)) {
    if (e.args.size() == 2)
      return fmt::format("{} {} {}", Operand(*e.args[0], names), name, Operand(*e.args[1], names));
    if (e.args.size() == 1 && name.starts_with("IS ")) return fmt::format("{} {}", Operand(*e.args[0], names), name);
    if (e.args.size() == 1) return (name == "NEGATE" ? "-" : std::string(name) + " ") + Operand(*e.args[0], names);
  }
  return fmt::format("{}({})", name, JoinArgs(e, names));
}

std::string Text(const Expression& e, const std::vector<std::string>& names) {
  switch (e.kind) {
    case Expression::Kind::kColumn:
      return e.column >= 0 && e.column < static_cast<int>(names.size()) ? names[e.column]
                                                                        : fmt::format("${}", e.column);
    case Expression::Kind::kLiteral:
      return LiteralText(*e.literal, e.type);
    case Expression::Kind::kCall:
      return CallText(e, names);
    case Expression::Kind::kCast:
      return fmt::format("{}({} AS {})", e.try_cast ? "TRY_CAST" : "CAST", Text(*e.args[0], names),
                         e.type.WithNullable(true).ToString());
    case Expression::Kind::kAnd:
    case Expression::Kind::kOr: {
      std::string out;
      for (size_t i = 0; i < e.args.size(); ++i) {
        if (i > 0) out += e.kind == Expression::Kind::kAnd ? " AND " : " OR ";
        out += Operand(*e.args[i], names);
      }
      return out;
    }
    case Expression::Kind::kCase: {
      std::string out = "CASE";
      for (size_t i = 0; i + 1 < e.args.size(); i += 2) {
        out += fmt::format(" WHEN {} THEN {}", Text(*e.args[i], names), Text(*e.args[i + 1], names));
      }
      return out + fmt::format(" ELSE {} END", Text(*e.args.back(), names));
    }
    case Expression::Kind::kCoalesce:
      return fmt::format("COALESCE({})", JoinArgs(e, names));
  }
  return "?";
}

void CollectColumns(const Expression& e, std::vector<int>& out) {
  if (e.kind == Expression::Kind::kColumn) out.push_back(e.column);
  for (const ExpressionPtr& arg : e.args) CollectColumns(*arg, out);
}

}  // namespace

std::string Expression::ToString(const std::vector<std::string>& column_names) const {
  return Text(*this, column_names);
}

bool Expression::Equals(const Expression& other) const {
  if (this == &other) return true;
  if (kind != other.kind || column != other.column || function != other.function || try_cast != other.try_cast ||
      args.size() != other.args.size() || !(type == other.type)) {
    return false;
  }
  if (kind == Kind::kLiteral && !literal->Equals(*other.literal, arrow::EqualOptions::Defaults().nans_equal(true)))
    return false;
  for (size_t i = 0; i < args.size(); ++i) {
    if (!args[i]->Equals(*other.args[i])) return false;
  }
  return true;
}

bool Expression::IsDeterministic() const {
  if (kind == Kind::kCall && !function->deterministic) return false;
  return std::all_of(args.begin(), args.end(), [](const ExpressionPtr& arg) { return arg->IsDeterministic(); });
}

ExpressionPtr MakeColumn(int column, DataType type, SourcePosition position) {
  auto e = std::make_shared<Expression>();
  e->kind = Expression::Kind::kColumn;
  e->column = column;
  e->type = std::move(type);
  e->position = std::move(position);
  return e;
}

std::vector<int> ColumnsOf(const Expression& expression) {
  std::vector<int> out;
  CollectColumns(expression, out);
  std::sort(out.begin(), out.end());
  out.erase(std::unique(out.begin(), out.end()), out.end());
  return out;
}

ExpressionPtr RemapColumns(const ExpressionPtr& expression, const std::vector<int>& mapping) {
  if (expression->kind == Expression::Kind::kColumn) {
    TM_CHECK(expression->column >= 0 && expression->column < static_cast<int>(mapping.size()));
    int target = mapping[expression->column];
    TM_CHECK(target >= 0);
    return target == expression->column ? expression : MakeColumn(target, expression->type, expression->position);
  }
  std::shared_ptr<Expression> copy;
  for (size_t i = 0; i < expression->args.size(); ++i) {
    ExpressionPtr arg = RemapColumns(expression->args[i], mapping);
    if (arg == expression->args[i]) continue;
    if (!copy) copy = std::make_shared<Expression>(*expression);
    copy->args[i] = std::move(arg);
  }
  return copy ? ExpressionPtr(std::move(copy)) : expression;
}

}  // namespace tidemill
