#include "function/tests/sql_text.h"

#include <cstdlib>

#include <arrow/api.h>

#include "base/clock.h"
#include "data/time_text.h"
#include "function/aggregate_function.h"
#include "function/internal/bind.h"
#include "function/internal/decimal.h"

namespace tidemill {
namespace {

struct Value {
  DataType type;
  arrow::Datum datum;
  bool literal = false;
};

struct ParseError {
  std::string message;
};

std::string Upper(std::string_view text) {
  std::string out(text);
  for (char& c : out) c = static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  return out;
}

class Evaluator {
 public:
  Evaluator(std::string_view sql, const TextOptions& options, EvalContext& context)
      : rest_(sql), options_(options), context_(context) {}

  Value Parse() {
    Value value = Expression(0);
    Skip();
    if (!rest_.empty()) throw ParseError{"unexpected '" + std::string(rest_) + "'"};
    return value;
  }
  Value Expression(int level) {
    Value left = Prefix(level);
    for (;;) {
      if (level <= 3) {
        if (TakeWord("IS")) {
          const bool negated = TakeWord("NOT");
          const std::string is = negated ? "IS NOT " : "IS ";
          if (TakeWord("DISTINCT")) {
            Need(TakeWord("FROM"), "FROM");
            left = Call(is + "DISTINCT FROM", {left, Expression(4)});
          } else {
            left = Call(is + Word(), {left});
          }
          continue;
        }
        const bool negated = LooksAtWord("NOT") && TakeWord("NOT");
        bool matched = false;
        for (const char* word : {"LIKE", "SIMILAR TO", "IN"}) {
          if (!TakeWord(word)) continue;
          matched = true;
          std::vector<Value> args{left};
          if (std::string_view(word) == "IN") {
            Need(Take("("), "(");
            do args.push_back(Expression(0));
            while (Take(","));
            Need(Take(")"), ")");
          } else {
            args.push_back(Expression(4));
            if (TakeWord("ESCAPE")) args.push_back(Expression(4));
          }
          left = Call(word, args);
          if (negated) left = Call("NOT", {left});
          break;
        }
        if (matched) continue;
        bool compared = false;
        for (const char* symbol : {"<=", ">=", "<>", "=", "<", ">"}) {
          if (!Take(symbol)) continue;
          left = Call(symbol, {left, Expression(4)});
          compared = true;
          break;
        }
        if (compared) continue;
      }
      if (level <= 4 && (Take("||"))) {
        left = Call("||", {left, Expression(5)});
        continue;
      }
      if (level <= 5 && Peek() == '+' && Take("+")) {
        left = Call("+", {left, Expression(6)});
        continue;
      }
      if (level <= 5 && Peek() == '-' && Take("-")) {
        left = Call("-", {left, Expression(6)});
        continue;
      }
      bool multiplied = false;
      for (const char* symbol : {"*", "/", "%"}) {
        if (level > 6 || !Take(symbol)) continue;
        left = Call(symbol, {left, Expression(7)});
        multiplied = true;
        break;
      }
      if (multiplied) continue;
      if (Peek() == '[' && Take("[")) {
        left = Call("ITEM", {left, Expression(0)});
        Need(Take("]"), "]");
        continue;
      }
      if (Peek() == '.' && Take(".")) {
        left = Call("FIELD", {left, StringLiteral(Word())});
        continue;
      }
      return left;
    }
  }

 private:
  char Peek() {
    Skip();
    return rest_.empty() ? '\0' : rest_[0];
  }
  void Skip() {
    while (!rest_.empty() && std::isspace(static_cast<unsigned char>(rest_[0]))) rest_.remove_prefix(1);
  }
  bool Take(std::string_view symbol) {
    Skip();
    if (!rest_.starts_with(symbol)) return false;
    rest_.remove_prefix(symbol.size());
    return true;
  }
  static bool IsWordChar(char c) { return std::isalnum(static_cast<unsigned char>(c)) || c == '_' || c == '$'; }
  bool LooksAtWord(std::string_view word) {
    Skip();
    return rest_.size() >= word.size() && Upper(rest_.substr(0, word.size())) == word &&
           (rest_.size() == word.size() || !IsWordChar(rest_[word.size()]));
  }
  bool TakeWord(std::string_view word) {
    if (!LooksAtWord(word)) return false;
    rest_.remove_prefix(word.size());
    return true;
  }
  std::string Word() {
    Skip();
    size_t n = 0;
    while (n < rest_.size() && IsWordChar(rest_[n])) ++n;
    if (n == 0) throw ParseError{"expected a word at '" + std::string(rest_) + "'"};
    std::string word(rest_.substr(0, n));
    rest_.remove_prefix(n);
    return word;
  }
  static void Need(bool found, const char* what) {
    if (!found) throw ParseError{std::string("expected ") + what};
  }
  template <typename T>
  static T Must(Result<T> result) {
    if (!result.ok()) throw ParseError{result.status().ToString()};
    return *std::move(result);
  }
  template <typename T>
  static T Must(arrow::Result<T> result) {
    if (!result.ok()) throw ParseError{result.status().ToString()};
    return *std::move(result);
  }

  static Value Literal(DataType type, std::shared_ptr<arrow::Scalar> scalar) {
    return Value{type.WithNullable(false), scalar, true};
  }
  static Value StringLiteral(std::string text) {
    return Literal(StringType(), std::make_shared<arrow::StringScalar>(std::move(text)));
  }
  std::string QuotedText() {
    Need(Take("'"), "'");
    std::string text;
    for (;;) {
      if (rest_.empty()) throw ParseError{"open string"};
      const char c = rest_[0];
      rest_.remove_prefix(1);
      if (c == '\'') {
        if (rest_.empty() || rest_[0] != '\'') return text;
        rest_.remove_prefix(1);
      }
      text += c;
    }
  }
  Value Number() {
    size_t n = 0;
    while (n < rest_.size() && (std::isdigit(static_cast<unsigned char>(rest_[n])) || rest_[n] == '.')) ++n;
    if (n < rest_.size() && (rest_[n] == 'e' || rest_[n] == 'E')) {
      ++n;
      if (n < rest_.size() && (rest_[n] == '-' || rest_[n] == '+')) ++n;
      while (n < rest_.size() && std::isdigit(static_cast<unsigned char>(rest_[n]))) ++n;
    }
    const std::string text(rest_.substr(0, n));
    rest_.remove_prefix(n);
    if (text.find_first_of("eE") != std::string::npos) {
      return Literal(DoubleType(), arrow::MakeScalar(std::strtod(text.c_str(), nullptr)));
    }
    if (const size_t point = text.find('.'); point != std::string::npos) {
      const DataType type =
          DataType::Decimal(static_cast<int>(text.size()) - 1, static_cast<int>(text.size() - point) - 1);
      Int128 value = 0;
      Need(ParseDecimal(text, type.precision(), type.scale(), value) == DecimalParse::kOk, "a decimal");
      return Literal(
          type, std::make_shared<arrow::Decimal128Scalar>(
                    arrow::Decimal128(static_cast<int64_t>(value >> 64), static_cast<uint64_t>(value)), ToArrow(type)));
    }
    const int64_t value = std::strtoll(text.c_str(), nullptr, 10);
    if (value == static_cast<int32_t>(value)) return Literal(IntType(), arrow::MakeScalar(static_cast<int32_t>(value)));
    return Literal(BigIntType(), arrow::MakeScalar(value));
  }
  DataType ParseType() {
    const std::string name = Upper(Word());
    int p = -1, s = 0;
    if (name == "ARRAY") {
      Need(Take("<"), "<");
      DataType element = ParseType();
      Need(Take(">"), ">");
      return DataType::Array(element);
    }
    if (name == "MAP") {
      Need(Take("<"), "<");
      DataType key = ParseType();
      Need(Take(","), ",");
      DataType value = ParseType();
      Need(Take(">"), ">");
      return DataType::Map(key.WithNullable(false), value);
    }
    if (Take("(")) {
      p = std::stoi(Word());
      if (Take(",")) s = std::stoi(Word());
      Need(Take(")"), ")");
    }
    static const std::map<std::string, TypeKind> kPlain = {
        {"BOOLEAN", TypeKind::kBoolean}, {"TINYINT", TypeKind::kTinyInt}, {"SMALLINT", TypeKind::kSmallInt},
        {"INT", TypeKind::kInt},         {"BIGINT", TypeKind::kBigInt},   {"FLOAT", TypeKind::kFloat},
        {"DOUBLE", TypeKind::kDouble},   {"STRING", TypeKind::kString},   {"BYTES", TypeKind::kBytes},
        {"DATE", TypeKind::kDate},       {"TIME", TypeKind::kTime}};
    if (const auto at = kPlain.find(name); at != kPlain.end()) return DataType(at->second);
    if (name == "DECIMAL") return DataType::Decimal(p < 0 ? 10 : p, s);
    if (name == "TIMESTAMP") return DataType::Timestamp(p < 0 ? 6 : p);
    if (name == "TIMESTAMP_LTZ") return DataType::TimestampLtz(p < 0 ? 6 : p);
    throw ParseError{"no type " + name};
  }
  Value Interval() {
    bool negative = Take("-");
    std::string text = QuotedText();
    if (!text.empty() && text[0] == '-') {
      negative = !negative;
      text.erase(0, 1);
    }
    std::string unit = Upper(Word());
    static const std::map<std::string, double> kMs = {
        {"SECOND", 1000}, {"MINUTE", 60'000}, {"HOUR", 3'600'000}, {"DAY", 86'400'000}};
    const double number = std::strtod(text.c_str(), nullptr) * (negative ? -1 : 1);
    if (unit == "MONTH" || unit == "YEAR") {
      return Literal(DataType(TypeKind::kIntervalMonth),
                     arrow::MakeScalar(static_cast<int32_t>(number * (unit == "YEAR" ? 12 : 1))));
    }
    return Literal(DataType(TypeKind::kIntervalDay), arrow::MakeScalar(static_cast<int64_t>(number * kMs.at(unit))));
  }
  Value TimestampLiteral(const std::string& text) {
    const size_t point = text.find('.');
    const DataType type =
        DataType::Timestamp(point == std::string::npos ? 0 : static_cast<int>(text.size() - point) - 1);
    return CastLiteral(text, type);
  }
  Value CastLiteral(const std::string& text, const DataType& type) {
    Value value = StringLiteral(text);
    Value cast = Literal(type, Must(CastDatum(context_, value.datum, StringType(), type, false)).scalar());
    if (!cast.datum.scalar()->is_valid) throw ParseError{"bad literal " + text};
    return cast;
  }

  Value Prefix(int level) {
    Skip();
    if (rest_.empty()) throw ParseError{"expression ends early"};
    const char c = rest_[0];
    if (level <= 2 && TakeWord("NOT")) return Call("NOT", {Expression(3)});
    if (c == '-') {
      Take("-");
      Value number = Expression(8);
      if (!number.literal) return Call("NEGATE", {number});
      // A literal with its sign is one, as for the binder.
      const ArgumentInfo info{number.type, &number.datum};
      const ResolvedCall call = Must(FunctionRegistry::BuiltIn().FindScalar("NEGATE")->resolve({&info, 1}));
      const arrow::Datum operand = Must(CastDatum(context_, number.datum, number.type, call.arguments[0], false));
      return Value{call.result, Must(call.kernel(context_, {&operand, 1}, call.result)), true};
    }
    if (Take("(")) {
      Value value = Expression(0);
      Need(Take(")"), ")");
      return value;
    }
    if (c == '\'') return StringLiteral(QuotedText());
    if (std::isdigit(static_cast<unsigned char>(c))) return Number();
    if (rest_.size() > 1 && (c == 'X' || c == 'x') && rest_[1] == '\'') {
      Take("x") || Take("X");
      const std::string hex = QuotedText();
      std::string bytes;
      for (size_t i = 0; i + 1 < hex.size(); i += 2)
        bytes += static_cast<char>(std::stoi(hex.substr(i, 2), nullptr, 16));
      return Literal(BytesType(), std::make_shared<arrow::BinaryScalar>(std::move(bytes)));
    }
    const std::string word = Word();
    const std::string upper = Upper(word);
    if (upper == "NULL") return Value{DataType(TypeKind::kNull), std::make_shared<arrow::NullScalar>(), true};
    if (upper == "TRUE" || upper == "FALSE") return Literal(BooleanType(), arrow::MakeScalar(upper == "TRUE"));
    if (upper == "INTERVAL") return Interval();
    if (Peek() == '\'') {
      if (upper == "TIMESTAMP") return TimestampLiteral(QuotedText());
      if (upper == "DATE") return CastLiteral(QuotedText(), DateType());
      if (upper == "TIME") return CastLiteral(QuotedText(), TimeType());
    }
    if (upper == "ARRAY" || upper == "MAP") {
      if (Take("[")) return Call(upper, Arguments("]"));
    }
    if (Take("(")) return CallSyntax(upper);
    if (const auto at = options_.columns.find(word); at != options_.columns.end()) {
      return Value{at->second.type, at->second.array, false};
    }
    return Call(upper, {});
  }
  std::vector<Value> Arguments(std::string_view close) {
    std::vector<Value> args;
    if (Take(close)) return args;
    do args.push_back(Expression(0));
    while (Take(","));
    Need(Take(close), ")");
    return args;
  }
  Value CallSyntax(const std::string& name) {
    if (name == "CAST" || name == "TRY_CAST") {
      Value value = Expression(0);
      Need(TakeWord("AS"), "AS");
      const DataType to = ParseType();
      Need(Take(")"), ")");
      return Value{to, Must(CastDatum(context_, Operand(value), value.type, to, name == "TRY_CAST")), false};
    }
    if (name == "EXTRACT") {
      const std::string unit = Upper(Word());
      Need(TakeWord("FROM"), "FROM");
      Value value = Expression(0);
      Need(Take(")"), ")");
      return Call(name, {StringLiteral(unit), value});
    }
    if (name == "TIMESTAMPADD" || name == "TIMESTAMPDIFF") {
      std::vector<Value> args{StringLiteral(Upper(Word()))};
      Need(Take(","), ",");
      for (Value& value : Arguments(")")) args.push_back(std::move(value));
      return Call(name, args);
    }
    if (name == "POSITION") {
      Value needle = Expression(4);
      Need(TakeWord("IN"), "IN");
      Value text = Expression(0);
      Need(Take(")"), ")");
      return Call(name, {needle, text});
    }
    if (name == "TRIM") {
      std::string function = "TRIM";
      if (TakeWord("LEADING"))
        function = "LTRIM";
      else if (TakeWord("TRAILING"))
        function = "RTRIM";
      else
        TakeWord("BOTH");
      std::vector<Value> trimmed;
      if (!TakeWord("FROM")) trimmed.push_back(Expression(0));
      if (trimmed.empty() || TakeWord("FROM")) trimmed.insert(trimmed.begin(), Expression(0));
      Need(Take(")"), ")");
      return Call(function, trimmed);
    }
    std::vector<Value> args;
    if (Take(")")) return Call(name, args);
    do {
      args.push_back(Expression(0));
      if ((name == "FLOOR" || name == "CEIL") && TakeWord("TO")) args.push_back(StringLiteral(Upper(Word())));
    } while (Take(","));
    Need(Take(")"), ")");
    return Call(name, args);
  }

  // What a kernel is given for the value: a literal may be turned into a column.
  arrow::Datum Operand(const Value& value) {
    if (!options_.literals_as_columns || !value.datum.is_scalar()) return value.datum;
    const auto nulls = Must(arrow::MakeArrayOfNull(value.datum.type(), 3));
    const auto values = Must(arrow::MakeArrayFromScalar(*value.datum.scalar(), options_.rows));
    const auto both = Must(arrow::Concatenate({nulls, values, nulls}));
    return both->Slice(3, options_.rows);
  }
  Value Call(const std::string& name, const std::vector<Value>& args) {
    const ScalarFunction* function = FunctionRegistry::BuiltIn().FindScalar(name);
    if (function == nullptr) throw ParseError{"no function " + name};
    std::vector<ArgumentInfo> infos;
    for (const Value& arg : args) infos.push_back(ArgumentInfo{arg.type, arg.literal ? &arg.datum : nullptr});
    const ResolvedCall call = Must(function->resolve(infos));
    if (call.arguments.size() != args.size()) throw ParseError{name + ": wrong number of argument types"};
    std::vector<arrow::Datum> operands;
    for (size_t i = 0; i < args.size(); ++i) {
      operands.push_back(Must(CastDatum(context_, Operand(args[i]), args[i].type, call.arguments[i], false)));
    }
    arrow::Datum out = Must(call.kernel(context_, operands, call.result));
    if (!out.type()->Equals(ToArrow(call.result))) {
      throw ParseError{name + ": kernel gave " + out.type()->ToString() + ", not " + call.result.ToString()};
    }
    return Value{call.result, std::move(out), false};
  }

  std::string_view rest_;
  const TextOptions& options_;
  EvalContext& context_;
};

}  // namespace

Result<EvaluatedText> EvaluateText(std::string_view sql, const TextOptions& options) {
  const ManualClock clock(options.now_us);
  EvalContext context(options.rows, clock, options.time_zone);
  context.set_active(options.active);
  try {
    Value value = Evaluator(sql, options, context).Parse();
    return EvaluatedText{value.type, value.datum, context.row_errors()};
  } catch (const ParseError& error) {
    return Status(kWrongArguments, error.message);
  }
}

Result<std::vector<std::string>> EvaluateToStrings(std::string_view sql, const TextOptions& options) {
  TM_ASSIGN_OR_RETURN(EvaluatedText out, EvaluateText(sql, options));
  const ManualClock clock;
  EvalContext context(options.rows, clock, options.time_zone);
  TM_ASSIGN_OR_RETURN(arrow::Datum text, CastDatum(context, out.value, out.type, StringType(), false));
  std::vector<std::string> strings;
  for (int64_t i = 0; i < options.rows; ++i) {
    const auto scalar = text.is_scalar() ? text.scalar() : *text.make_array()->GetScalar(i);
    strings.push_back(scalar->is_valid ? scalar->ToString() : "NULL");
  }
  for (const EvalContext::RowError& error : out.errors) {
    strings[static_cast<size_t>(error.row)] = "error TM" + std::to_string(error.code->number) + ": " + error.detail;
  }
  return strings;
}

std::string EvaluateOne(std::string_view sql, const TextOptions& options) {
  const Result<std::vector<std::string>> strings = EvaluateToStrings(sql, options);
  if (!strings.ok()) return "refused: " + strings.status().message();
  for (const std::string& text : *strings) {
    if (text != strings->front()) return "rows differ: " + strings->front() + ", " + text;
  }
  return strings->front();
}

std::string EvaluateAggregate(std::string_view sql) {
  const size_t open = sql.find('('), from = sql.find(" FROM (VALUES ");
  if (open == std::string_view::npos || from == std::string_view::npos) return "refused: no aggregate example";
  const std::string name = Upper(sql.substr(0, open));
  std::string_view inside = sql.substr(open + 1, from - open - 2);
  const bool distinct = inside.starts_with("DISTINCT ");
  const AggregateFunction* function = FunctionRegistry::BuiltIn().FindAggregate(name);
  if (function == nullptr) return "refused: no aggregate " + name;
  const ManualClock clock;
  EvalContext context(1, clock, "UTC");
  std::string_view values = sql.substr(from + 14);
  values.remove_suffix(1);
  std::vector<EvaluatedText> rows;
  DataType type;
  while (!values.empty()) {
    const size_t comma = values.find(", ");
    Result<EvaluatedText> row = EvaluateText(values.substr(0, comma));
    if (!row.ok()) return "refused: " + row.status().message();
    type = *CommonType(type, row->type);
    rows.push_back(*std::move(row));
    values = comma == std::string_view::npos ? "" : values.substr(comma + 2);
  }
  arrow::ArrayVector parts;
  for (const EvaluatedText& row : rows) {
    parts.push_back(*arrow::MakeArrayFromScalar(*CastDatum(context, row.value, row.type, type, false)->scalar(), 1));
  }
  const std::shared_ptr<arrow::Array> column = *arrow::Concatenate(parts);
  std::vector<ArgumentInfo> infos;
  std::vector<arrow::Datum> literals(1);
  if (inside != "*") infos.push_back(ArgumentInfo{type, nullptr});
  if (const size_t comma = inside.find(", "); comma != std::string_view::npos) {
    Result<EvaluatedText> second = EvaluateText(inside.substr(comma + 2));
    if (!second.ok()) return "refused: " + second.status().message();
    literals[0] = second->value;
    infos.push_back(ArgumentInfo{second->type, &literals[0]});
  }
  Result<ResolvedAggregate> resolved = function->resolve(infos, distinct);
  if (!resolved.ok()) return "refused: " + resolved.status().message();
  std::unique_ptr<Accumulators> groups = resolved->make(*resolved);
  groups->Resize(1);
  std::vector<std::shared_ptr<arrow::Array>> args;
  if (!resolved->arguments.empty()) {
    EvalContext all(column->length(), clock, "UTC");
    Result<arrow::Datum> cast = CastDatum(all, column, infos[0].type, resolved->arguments[0], false);
    if (!cast.ok()) return "refused: " + cast.status().message();
    args.push_back(cast->make_array());
  }
  const std::vector<uint32_t> slots(static_cast<size_t>(column->length()), 0);
  if (Status status = groups->Update(slots, args, nullptr, nullptr); !status.ok()) return status.ToString();
  const uint32_t zero = 0;
  Result<std::shared_ptr<arrow::Array>> out = groups->Finish({&zero, 1});
  if (!out.ok()) return out.status().ToString();
  if (!(*out)->type()->Equals(ToArrow(resolved->result))) return "wrong type " + (*out)->type()->ToString();
  Result<arrow::Datum> text = CastDatum(context, *out, resolved->result, DataType(TypeKind::kString), false);
  if (!text.ok()) return text.status().ToString();
  const std::shared_ptr<arrow::Array> column_text = text->make_array();
  const auto& strings = static_cast<const arrow::StringArray&>(*column_text);
  return strings.IsNull(0) ? "NULL" : strings.GetString(0);
}

}  // namespace tidemill
