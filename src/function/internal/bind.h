#pragma once

#include <initializer_list>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "function/errors.h"
#include "function/scalar_function.h"

namespace tidemill {

using Args = std::span<const ArgumentInfo>;

// When a result can be NULL: where an argument is, always, never.
enum class Nulls : uint8_t { kWhereArguments, kMaybe, kNever };

// kWrongArguments: "SUBSTRING takes (STRING, INT), given (INT)".
Status WrongArguments(std::string_view function, Args given, std::string_view accepted);
bool AnyNullable(Args args);

// A call with these parameter types; an argument goes to its parameter by implicit cast.
Result<ResolvedCall> Bind(std::string_view function, Args args, std::initializer_list<DataType> parameters,
                          DataType result, ScalarKernel kernel, Nulls nulls = Nulls::kWhereArguments);
// The common type of all arguments from `first` on; `accepted` is for the message.
Result<DataType> CommonTypeOf(std::string_view function, Args args, std::string_view accepted, size_t first = 0);
// The value of a constant STRING argument, e.g. a unit word.
Result<std::string> LiteralString(std::string_view function, Args args, size_t index, std::string_view what);
// The value of a constant integer argument.
Result<int64_t> LiteralInteger(std::string_view function, Args args, size_t index, std::string_view what);

// Types by their short names.
inline DataType StringType() { return DataType(TypeKind::kString); }
inline DataType BytesType() { return DataType(TypeKind::kBytes); }
inline DataType IntType() { return DataType(TypeKind::kInt); }
inline DataType BigIntType() { return DataType(TypeKind::kBigInt); }
inline DataType DoubleType() { return DataType(TypeKind::kDouble); }
inline DataType BooleanType() { return DataType(TypeKind::kBoolean); }
inline DataType DateType() { return DataType(TypeKind::kDate); }
inline DataType TimeType() { return DataType(TypeKind::kTime); }

// INT has 10 digits, BIGINT 19, ...
int IntegerDigits(TypeKind kind);
DataType DecimalOfInteger(TypeKind kind);
// DECIMAL(precision, scale) with the scale given up, down to 6, when precision is over 38 (Flink, as SQL Server and
// Hive).
DataType AdjustedDecimal(int precision, int scale);

}  // namespace tidemill
