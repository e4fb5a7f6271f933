#include "function/internal/bind.h"

#include <algorithm>

#include <arrow/datum.h>
#include <arrow/scalar.h>

namespace tidemill {

Status WrongArguments(std::string_view function, Args given, std::string_view accepted) {
  std::string text = std::string(function) + " takes " + std::string(accepted) + ", given (";
  for (size_t i = 0; i < given.size(); ++i) {
    if (i > 0) text += ", ";
    text += given[i].type.WithNullable(true).ToString();
  }
  return Status(kWrongArguments, text + ")");
}

bool AnyNullable(Args args) {
  return std::any_of(args.begin(), args.end(), [](const ArgumentInfo& arg) { return arg.type.nullable(); });
}

Result<ResolvedCall> Bind(std::string_view function, Args args, std::initializer_list<DataType> parameters,
                          DataType result, ScalarKernel kernel, Nulls nulls) {
  bool fits = args.size() == parameters.size();
  for (size_t i = 0; fits && i < args.size(); ++i) fits = ImplicitlyCastable(args[i].type, parameters.begin()[i]);
  if (!fits) {
    std::string accepted = "(";
    for (size_t i = 0; i < parameters.size(); ++i) {
      accepted += (i > 0 ? ", " : "") + parameters.begin()[i].WithNullable(true).ToString();
    }
    return WrongArguments(function, args, accepted + ")");
  }
  ResolvedCall call;
  call.kernel = kernel;
  call.result = result.WithNullable(nulls == Nulls::kMaybe || (nulls == Nulls::kWhereArguments && AnyNullable(args)));
  for (size_t i = 0; i < args.size(); ++i) {
    call.arguments.push_back(parameters.begin()[i].WithNullable(args[i].type.nullable()));
  }
  return call;
}

Result<DataType> CommonTypeOf(std::string_view function, Args args, std::string_view accepted, size_t first) {
  if (args.size() <= first) return WrongArguments(function, args, accepted);
  DataType type = args[first].type;
  for (size_t i = first + 1; i < args.size(); ++i) {
    Result<DataType> common = CommonType(type, args[i].type);
    if (!common.ok()) return WrongArguments(function, args, accepted);
    type = *std::move(common);
  }
  return type;
}

Result<std::string> LiteralString(std::string_view function, Args args, size_t index, std::string_view what) {
  if (index < args.size() && args[index].literal != nullptr && args[index].type.kind() == TypeKind::kString) {
    const auto& scalar = static_cast<const arrow::BaseBinaryScalar&>(*args[index].literal->scalar());
    if (scalar.is_valid) return scalar.value->ToString();
  }
  return Status(kWrongArguments, std::string(function) + ": " + std::string(what) + " must be a constant STRING");
}

Result<int64_t> LiteralInteger(std::string_view function, Args args, size_t index, std::string_view what) {
  if (index < args.size() && args[index].literal != nullptr && args[index].literal->scalar()->is_valid) {
    const arrow::Scalar& scalar = *args[index].literal->scalar();
    switch (args[index].type.kind()) {
      case TypeKind::kTinyInt:
        return static_cast<int64_t>(static_cast<const arrow::Int8Scalar&>(scalar).value);
      case TypeKind::kSmallInt:
        return static_cast<int64_t>(static_cast<const arrow::Int16Scalar&>(scalar).value);
      case TypeKind::kInt:
        return static_cast<int64_t>(static_cast<const arrow::Int32Scalar&>(scalar).value);
      case TypeKind::kBigInt:
        return static_cast<const arrow::Int64Scalar&>(scalar).value;
      default:
        break;
    }
  }
  return Status(kWrongArguments, std::string(function) + ": " + std::string(what) + " must be a constant integer");
}

int IntegerDigits(TypeKind kind) {
  switch (kind) {
    case TypeKind::kTinyInt:
      return 3;
    case TypeKind::kSmallInt:
      return 5;
    case TypeKind::kInt:
      return 10;
    default:
      return 19;
  }
}

DataType DecimalOfInteger(TypeKind kind) { return DataType::Decimal(IntegerDigits(kind), 0); }

DataType AdjustedDecimal(int precision, int scale) {
  if (precision <= 38) return DataType::Decimal(precision, scale);
  const int digits = precision - scale;
  return DataType::Decimal(38, std::max(38 - digits, std::min(scale, 6)));
}

}  // namespace tidemill
