#include <cmath>
#include <functional>

#include "function/function_groups.h"
#include "function/internal/bind.h"
#include "function/internal/decimal_arithmetic.h"
#include "function/internal/frame.h"
#include "function/internal/row_kernel.h"
#include "function/internal/time_arithmetic.h"

namespace tidemill {
namespace {

// Integers wrap around as Java's do, which C++ only defines for unsigned ones.
template <typename T, typename F>
T Wrapping(T a, T b, F f) {
  using U = std::make_unsigned_t<std::conditional_t<(sizeof(T) < 4), int32_t, T>>;
  return static_cast<T>(f(static_cast<U>(a), static_cast<U>(b)));
}
struct Add {
  template <typename T>
  static T Apply(T a, T b) {
    if constexpr (std::is_integral_v<T>)
      return Wrapping(a, b, std::plus<>());
    else
      return a + b;
  }
};
struct Subtract {
  template <typename T>
  static T Apply(T a, T b) {
    if constexpr (std::is_integral_v<T>)
      return Wrapping(a, b, std::minus<>());
    else
      return a - b;
  }
};
struct Multiply {
  template <typename T>
  static T Apply(T a, T b) {
    if constexpr (std::is_integral_v<T>)
      return Wrapping(a, b, std::multiplies<>());
    else
      return a * b;
  }
};
struct DivideFloating {
  template <typename T>
  static T Apply(T a, T b) {
    return a / b;
  }
};
struct ModuloFloating {
  template <typename T>
  static T Apply(T a, T b) {
    return std::fmod(a, b);
  }
};

// Computes under NULL as well: cheaper than looking, and without effect.
template <typename T, typename Op>
Result<arrow::Datum> BinaryKernel(EvalContext& context, std::span<const arrow::Datum> args, const DataType& result) {
  TM_ASSIGN_OR_RETURN(Frame frame, Frame::Make(context, args));
  TM_ASSIGN_OR_RETURN(Validity validity, frame.StrictValidity());
  const int64_t rows = frame.rows();
  TM_ASSIGN_OR_RETURN(std::shared_ptr<arrow::Buffer> buffer, NewBuffer(rows * static_cast<int64_t>(sizeof(T))));
  T* out = reinterpret_cast<T*>(buffer->mutable_data());
  const T* a = Reader<T>(frame.column(0), frame.is_constant(0)).data();
  const T* b = Reader<T>(frame.column(1), frame.is_constant(1)).data();
  if (frame.is_constant(0) && rows > 0) {
    const T left = a[0];
    for (int64_t i = 0; i < rows; ++i) out[i] = Op::template Apply<T>(left, b[i]);
  } else if (frame.is_constant(1) && rows > 0) {
    const T right = b[0];
    for (int64_t i = 0; i < rows; ++i) out[i] = Op::template Apply<T>(a[i], right);
  } else {
    for (int64_t i = 0; i < rows; ++i) out[i] = Op::template Apply<T>(a[i], b[i]);
  }
  return frame.Finish(MakeFixedArray(result, rows, std::move(buffer), validity));
}

template <typename T>
bool DivideInteger(Row& row, T a, T b, T& out) {
  if (b == 0) [[unlikely]] {
    row.Raise(kDivisionByZero, "integer division by zero");
    return false;
  }
  out = b == -1 ? Wrapping(T{0}, a, std::minus<>()) : static_cast<T>(a / b);
  return true;
}

// The rest is smaller than the divisor, so it fits the divisor's own type.
template <typename T, typename Out>
bool ModuloInteger(Row& row, T a, T b, Out& out) {
  if (b == 0) [[unlikely]] {
    row.Raise(kDivisionByZero, "integer division by zero");
    return false;
  }
  out = b == -1 ? Out{0} : static_cast<Out>(a % b);
  return true;
}

template <typename Op>
ScalarKernel KernelOf(TypeKind kind) {
  switch (kind) {
    case TypeKind::kTinyInt:
      return BinaryKernel<int8_t, Op>;
    case TypeKind::kSmallInt:
      return BinaryKernel<int16_t, Op>;
    case TypeKind::kInt:
    case TypeKind::kIntervalMonth:
      return BinaryKernel<int32_t, Op>;
    case TypeKind::kBigInt:
    case TypeKind::kIntervalDay:
      return BinaryKernel<int64_t, Op>;
    case TypeKind::kFloat:
      return BinaryKernel<float, Op>;
    default:
      return BinaryKernel<double, Op>;
  }
}

ScalarKernel DivideKernelOf(TypeKind kind) {
  switch (kind) {
    case TypeKind::kTinyInt:
      return RowKernel<DivideInteger<int8_t>, int8_t, int8_t, int8_t>;
    case TypeKind::kSmallInt:
      return RowKernel<DivideInteger<int16_t>, int16_t, int16_t, int16_t>;
    case TypeKind::kInt:
      return RowKernel<DivideInteger<int32_t>, int32_t, int32_t, int32_t>;
    case TypeKind::kBigInt:
      return RowKernel<DivideInteger<int64_t>, int64_t, int64_t, int64_t>;
    case TypeKind::kFloat:
      return BinaryKernel<float, DivideFloating>;
    default:
      return BinaryKernel<double, DivideFloating>;
  }
}

template <typename T>
ScalarKernel ModuloKernelTo(TypeKind out) {
  switch (out) {
    case TypeKind::kTinyInt:
      return RowKernel<ModuloInteger<T, int8_t>, int8_t, T, T>;
    case TypeKind::kSmallInt:
      return RowKernel<ModuloInteger<T, int16_t>, int16_t, T, T>;
    case TypeKind::kInt:
      return RowKernel<ModuloInteger<T, int32_t>, int32_t, T, T>;
    default:
      return RowKernel<ModuloInteger<T, int64_t>, int64_t, T, T>;
  }
}

ScalarKernel ModuloKernelOf(TypeKind common, TypeKind out) {
  switch (common) {
    case TypeKind::kTinyInt:
      return ModuloKernelTo<int8_t>(out);
    case TypeKind::kSmallInt:
      return ModuloKernelTo<int16_t>(out);
    case TypeKind::kInt:
      return ModuloKernelTo<int32_t>(out);
    case TypeKind::kBigInt:
      return ModuloKernelTo<int64_t>(out);
    case TypeKind::kFloat:
      return BinaryKernel<float, ModuloFloating>;
    default:
      return BinaryKernel<double, ModuloFloating>;
  }
}

bool IsNumberOrNull(const DataType& type) { return type.IsNumeric() || type.kind() == TypeKind::kNull; }

// Both arguments as numbers; DECIMAL arithmetic has its own result types.
Result<ResolvedCall> BindNumbers(std::string_view symbol, Args args, ScalarKernel (*kernel_of)(TypeKind)) {
  if (args.size() != 2 || !IsNumberOrNull(args[0].type) || !IsNumberOrNull(args[1].type)) {
    return WrongArguments(symbol, args, "two numbers");
  }
  TM_ASSIGN_OR_RETURN(DataType common, CommonType(args[0].type, args[1].type));
  if (common.kind() == TypeKind::kNull) common = IntType();
  if (common.kind() == TypeKind::kDecimal) return BindDecimalArithmetic(symbol, args);
  return Bind(symbol, args, {common, common}, common, kernel_of(common.kind()));
}

Result<ResolvedCall> BindAdd(Args args) {
  if (args.size() == 2 && TakesTimeArithmetic(args)) return BindTimeAdd(args);
  return BindNumbers("+", args, KernelOf<Add>);
}

Result<ResolvedCall> BindSubtract(Args args) {
  if (args.size() == 2 && TakesTimeArithmetic(args)) return BindTimeSubtract(args);
  return BindNumbers("-", args, KernelOf<Subtract>);
}

// INTERVAL * number and number * INTERVAL; both in the interval's own unit.
Result<ResolvedCall> BindMultiply(Args args) {
  if (args.size() == 2 && (args[0].type.IsInterval() || args[1].type.IsInterval())) {
    const DataType interval = args[0].type.IsInterval() ? args[0].type : args[1].type;
    const DataType number = args[0].type.IsInterval() ? args[1].type : args[0].type;
    if (!number.IsInteger()) return WrongArguments("*", args, "two numbers, or an INTERVAL and an integer");
    ResolvedCall call;
    call.result = interval.WithNullable(AnyNullable(args));
    const DataType factor = interval.kind() == TypeKind::kIntervalDay ? BigIntType() : IntType();
    for (const ArgumentInfo& arg : args) {
      call.arguments.push_back((arg.type.IsInterval() ? interval : factor).WithNullable(arg.type.nullable()));
    }
    call.kernel = KernelOf<Multiply>(interval.kind());
    return call;
  }
  return BindNumbers("*", args, KernelOf<Multiply>);
}

Result<ResolvedCall> BindModulo(Args args) {
  TM_ASSIGN_OR_RETURN(ResolvedCall call, BindNumbers("MOD", args, DivideKernelOf));
  if (call.result.kind() == TypeKind::kDecimal) return call;
  const TypeKind common = call.result.kind();
  if (call.result.IsInteger() && args[1].type.IsInteger())
    call.result = args[1].type.WithNullable(call.result.nullable());
  call.kernel = ModuloKernelOf(common, call.result.kind());
  return call;
}

template <typename T>
void NegateValue(Row&, T value, T& out) {
  out = Subtract::Apply(T{0}, value);
}
template <>
void NegateValue(Row&, float value, float& out) {
  out = -value;
}
template <>
void NegateValue(Row&, double value, double& out) {
  out = -value;
}
template <>
void NegateValue(Row&, __int128 value, __int128& out) {
  out = -value;
}

ScalarKernel NegateKernelOf(TypeKind kind) {
  switch (kind) {
    case TypeKind::kTinyInt:
      return RowKernel<NegateValue<int8_t>, int8_t, int8_t>;
    case TypeKind::kSmallInt:
      return RowKernel<NegateValue<int16_t>, int16_t, int16_t>;
    case TypeKind::kInt:
    case TypeKind::kIntervalMonth:
      return RowKernel<NegateValue<int32_t>, int32_t, int32_t>;
    case TypeKind::kBigInt:
    case TypeKind::kIntervalDay:
      return RowKernel<NegateValue<int64_t>, int64_t, int64_t>;
    case TypeKind::kFloat:
      return RowKernel<NegateValue<float>, float, float>;
    case TypeKind::kDouble:
      return RowKernel<NegateValue<double>, double, double>;
    case TypeKind::kDecimal:
      return RowKernel<NegateValue<__int128>, __int128, __int128>;
    default:
      return nullptr;
  }
}

Result<ResolvedCall> BindNegate(Args args) {
  const DataType type = args.size() == 1 && args[0].type.kind() == TypeKind::kNull ? IntType()
                        : args.size() == 1                                         ? args[0].type
                                                                                   : DataType();
  const ScalarKernel kernel = NegateKernelOf(type.kind());
  if (kernel == nullptr) return WrongArguments("-", args, "a number or an INTERVAL");
  return Bind("-", args, {type}, type, kernel);
}

}  // namespace

std::vector<ScalarFunction> ArithmeticFunctions() {
  return {
      {"+", "number + number, time + INTERVAL", "The sum; integers wrap around, a DECIMAL that does not fit is NULL.",
       "1 + 2", "3", BindAdd},
      {"-", "number - number, time - INTERVAL",
       "The difference; integers wrap around, a DECIMAL that does not fit is NULL.", "5 - 7", "-2", BindSubtract},
      {"*", "number * number, INTERVAL * integer",
       "The product; integers wrap around, a DECIMAL that does not fit is NULL.", "1.5 * 4", "6.0", BindMultiply},
      {"/", "number / number",
       "The quotient; integers are cut toward zero, and dividing them by zero is an error of the row.", "7 / 2", "3",
       [](Args args) { return BindNumbers("/", args, DivideKernelOf); }},
      {"%", "number % number", "The rest of the division, with the sign of the dividend.", "-7 % 3", "-1", BindModulo},
      {"MOD", "MOD(dividend NUMBER, divisor NUMBER) -> NUMBER",
       "The rest of the division, with the sign of the dividend.", "MOD(7, 3)", "1", BindModulo},
      {"NEGATE", "- number", "The number with the other sign.", "-(3)", "-3", BindNegate},
  };
}

}  // namespace tidemill
