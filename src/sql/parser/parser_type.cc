#include <charconv>

#include <fmt/format.h>

#include "base/config.h"
#include "sql/parser/parser_impl.h"

namespace tidemill {
namespace {

constexpr std::string_view kTypeNames[] = {
    "TINYINT", "SMALLINT",  "INT",           "INTEGER",  "BIGINT",  "FLOAT", "DOUBLE",   "DECIMAL",   "DEC",
    "NUMERIC", "BOOLEAN",   "STRING",        "CHAR",     "VARCHAR", "BYTES", "BINARY",   "VARBINARY", "DATE",
    "TIME",    "TIMESTAMP", "TIMESTAMP_LTZ", "INTERVAL", "ARRAY",   "MAP",   "MULTISET", "ROW"};

}  // namespace

Result<DataType> Parser::ParseType() {
  Depth guard(*this);
  TM_RETURN_IF_ERROR(CheckDepth());
  TM_ASSIGN_OR_RETURN(DataType type, ParseTypeName());
  for (;;) {
    if (AcceptWord("ARRAY")) {
      type = DataType::Array(type);
    } else if (AcceptWord("MULTISET")) {
      type = DataType::Multiset(type);
    } else if (AcceptWords({"NOT", "NULL"})) {
      type = type.WithNullable(false);
    } else if (AcceptWord("NULL")) {
      type = type.WithNullable(true);
    } else {
      return type;
    }
  }
}

Result<int> Parser::ParseTypeNumber(std::string_view what, int min, int max) {
  if (Peek().kind != TokenKind::kNumber) return Expected(what);
  int value = 0;
  const std::string& text = Peek().text;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || value < min || value > max) {
    return Status(kInvalidLiteral, fmt::format("{} must be {} to {}, found {}", what, min, max, text)).At(Here());
  }
  Take();
  return value;
}

Result<int> Parser::ParseOptionalPrecision(int fallback, int max) {
  if (!AcceptSymbol("(")) return fallback;
  TM_ASSIGN_OR_RETURN(int precision, ParseTypeNumber("a precision", 0, max));
  TM_RETURN_IF_ERROR(ExpectSymbol(")"));
  return precision;
}

Result<DataType> Parser::ParseTimeType(std::string_view name) {
  if (name == "TIME") {
    TM_ASSIGN_OR_RETURN(int precision, ParseOptionalPrecision(0, 9));
    (void)precision;  // kept to milliseconds, as Flink's runtime does
    AcceptWords({"WITHOUT", "TIME", "ZONE"});
    return DataType(TypeKind::kTime);
  }
  TM_ASSIGN_OR_RETURN(int precision, ParseOptionalPrecision(6, 9));
  if (name == "TIMESTAMP_LTZ" || AcceptWords({"WITH", "LOCAL", "TIME", "ZONE"}))
    return DataType::TimestampLtz(precision);
  if (IsWords({"WITH", "TIME", "ZONE"})) return Unsupported("TIMESTAMP WITH TIME ZONE");
  AcceptWords({"WITHOUT", "TIME", "ZONE"});
  return DataType::Timestamp(precision);
}

Result<DataType> Parser::ParseRowType() {
  std::string_view close = ">";
  if (IsSymbol("<>")) return Unsupported("an empty ROW type");
  if (AcceptSymbol("(")) {
    close = ")";
  } else {
    TM_RETURN_IF_ERROR(ExpectSymbol("<"));
  }
  std::vector<Field> fields;
  do {
    Field field;
    SourcePosition position = Here();
    TM_ASSIGN_OR_RETURN(ast::Name name, ParseName("a field name"));
    field.name = name.text;
    TM_ASSIGN_OR_RETURN(field.type, ParseType());
    if (Peek().kind == TokenKind::kString) Take();  // a field's comment
    for (const Field& other : fields) {
      if (other.name == field.name)
        return Status(kSyntaxError, fmt::format("field '{}' stands twice", field.name)).At(position);
    }
    fields.push_back(std::move(field));
  } while (AcceptSymbol(","));
  if (!AcceptSymbol(close)) return Expected(fmt::format("',' or '{}'", close));
  return DataType::Row(std::move(fields));
}

Result<DataType> Parser::ParseTypeName() {
  if (Peek().kind != TokenKind::kWord) return Expected("a type");
  const Token& token = Peek();
  const std::string name = token.upper;
  auto plain = [&](TypeKind kind) {
    Take();
    return DataType(kind);
  };
  if (name == "BOOLEAN") return plain(TypeKind::kBoolean);
  if (name == "TINYINT") return plain(TypeKind::kTinyInt);
  if (name == "SMALLINT") return plain(TypeKind::kSmallInt);
  if (name == "INT" || name == "INTEGER") return plain(TypeKind::kInt);
  if (name == "BIGINT") return plain(TypeKind::kBigInt);
  if (name == "FLOAT") return plain(TypeKind::kFloat);
  if (name == "STRING") return plain(TypeKind::kString);
  if (name == "BYTES") return plain(TypeKind::kBytes);
  if (name == "DATE") return plain(TypeKind::kDate);
  if (name == "DOUBLE") {
    Take();
    AcceptWord("PRECISION");
    return DataType(TypeKind::kDouble);
  }
  if (name == "DECIMAL" || name == "DEC" || name == "NUMERIC") {
    Take();
    int precision = 10;
    int scale = 0;
    if (AcceptSymbol("(")) {
      TM_ASSIGN_OR_RETURN(precision, ParseTypeNumber("a precision", 1, 38));
      if (AcceptSymbol(",")) {
        TM_ASSIGN_OR_RETURN(scale, ParseTypeNumber("a scale", 0, precision));
      }
      TM_RETURN_IF_ERROR(ExpectSymbol(")"));
    }
    return DataType::Decimal(precision, scale);
  }
  if (name == "CHAR" || name == "VARCHAR" || name == "BINARY" || name == "VARBINARY") {
    Take();
    if (AcceptSymbol("(")) {
      TM_ASSIGN_OR_RETURN(int length, ParseTypeNumber("a length", 1, 2147483647));
      (void)length;  // docs/limits.md: lengths are not enforced
      TM_RETURN_IF_ERROR(ExpectSymbol(")"));
    }
    return DataType(name.ends_with("CHAR") ? TypeKind::kString : TypeKind::kBytes);
  }
  if (name == "TIME" || name == "TIMESTAMP" || name == "TIMESTAMP_LTZ") {
    Take();
    return ParseTimeType(name);
  }
  if (name == "INTERVAL") {
    Take();
    TM_ASSIGN_OR_RETURN(ast::ExprPtr unit, ParseUnit());
    if (AcceptSymbol("(")) {
      TM_ASSIGN_OR_RETURN(int precision, ParseTypeNumber("a precision", 0, 9));
      (void)precision;
      TM_RETURN_IF_ERROR(ExpectSymbol(")"));
    }
    if (AcceptWord("TO")) {
      TM_ASSIGN_OR_RETURN(ast::ExprPtr to, ParseUnit());
      TM_ASSIGN_OR_RETURN(int precision, ParseOptionalPrecision(3, 9));
      (void)precision;
    }
    bool months = unit->text == "YEAR" || unit->text == "MONTH";
    return DataType(months ? TypeKind::kIntervalMonth : TypeKind::kIntervalDay);
  }
  if (name == "ARRAY" || name == "MULTISET") {
    Take();
    TM_RETURN_IF_ERROR(ExpectSymbol("<"));
    TM_ASSIGN_OR_RETURN(DataType element, ParseType());
    TM_RETURN_IF_ERROR(ExpectSymbol(">"));
    return name == "ARRAY" ? DataType::Array(element) : DataType::Multiset(element);
  }
  if (name == "MAP") {
    Take();
    TM_RETURN_IF_ERROR(ExpectSymbol("<"));
    TM_ASSIGN_OR_RETURN(DataType key, ParseType());
    TM_RETURN_IF_ERROR(ExpectSymbol(","));
    TM_ASSIGN_OR_RETURN(DataType value, ParseType());
    TM_RETURN_IF_ERROR(ExpectSymbol(">"));
    return DataType::Map(key, value);
  }
  if (name == "ROW") {
    Take();
    return ParseRowType();
  }
  if (name == "VARIANT" || name == "RAW" || name == "SYMBOL" || name == "BITMAP")
    return Unsupported(fmt::format("type {}", name));
  Status status = Status(kSyntaxError, fmt::format("unknown type '{}'", token.text)).At(Here());
  std::string nearest = NearestName(name, {std::begin(kTypeNames), std::end(kTypeNames)});
  return nearest.empty() ? status : status.WithHint(fmt::format("did you mean '{}'?", nearest));
}

}  // namespace tidemill
