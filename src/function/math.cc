#include <cmath>

#include "base/clock.h"
#include "base/murmur.h"
#include "function/function_groups.h"
#include "function/internal/decimal.h"
#include "function/internal/row_kernel.h"
#include "function/internal/time_floor.h"

namespace tidemill {
namespace {

// ---- DOUBLE -> DOUBLE

template <double (*kFn)(double)>
void Apply(Row&, double x, double& out) {
  out = kFn(x);
}
template <double (*kFn)(double)>
Result<ResolvedCall> BindDouble(std::string_view name, Args args) {
  return Bind(name, args, {DoubleType()}, DoubleType(), RowKernel<Apply<kFn>, double, double>);
}
double Cot(double x) { return 1 / std::tan(x); }
double Radians(double x) { return x / 180 * M_PI; }
double Degrees(double x) { return x * 180 / M_PI; }

void Power(Row&, double x, double y, double& out) { out = std::pow(x, y); }
void ArcTangent2(Row&, double y, double x, double& out) { out = std::atan2(y, x); }
void LogOfBase(Row&, double base, double x, double& out) { out = std::log(x) / std::log(base); }

template <auto kValue>
void Constant(Row&, double& out) {
  out = kValue();
}

// ---- ABS, SIGN, CEIL, FLOOR, ROUND, TRUNCATE over the kinds of numbers

template <typename T>
void Absolute(Row&, T x, T& out) {
  if constexpr (std::is_floating_point_v<T>)
    out = std::fabs(x);
  else if constexpr (std::is_same_v<T, Int128>)
    out = AbsoluteOf(x);
  else
    out = x < 0 ? static_cast<T>(0 - static_cast<std::make_unsigned_t<T>>(x)) : x;  // the smallest stays, as in Java
}
template <typename T>
void Sign(Row&, T x, T& out) {
  if constexpr (std::is_floating_point_v<T>)
    out = std::isnan(x) || x == 0 ? x : x > 0 ? T{1} : T{-1};
  else
    out = static_cast<T>((x > 0) - (x < 0));
}

Result<arrow::Datum> DecimalSignKernel(EvalContext& context, std::span<const arrow::Datum> args,
                                       const DataType& result) {
  TM_ASSIGN_OR_RETURN(Frame frame, Frame::Make(context, args));
  TM_ASSIGN_OR_RETURN(Validity validity, frame.StrictValidity());
  const Reader<Int128> read(frame.column(0), frame.is_constant(0));
  return RunRows<Int128>(frame, std::move(validity), result, [&](Row& row, Int128& out) {
    const Int128 x = read(row.index);
    return Rescale((x > 0) - (x < 0), 0, result.precision(), result.scale(), out);
  });
}

#define TM_NUMBER_KERNELS(Name, Fn)                      \
  ScalarKernel Name(TypeKind kind) {                     \
    switch (kind) {                                      \
      case TypeKind::kTinyInt:                           \
        return RowKernel<Fn<int8_t>, int8_t, int8_t>;    \
      case TypeKind::kSmallInt:                          \
        return RowKernel<Fn<int16_t>, int16_t, int16_t>; \
      case TypeKind::kInt:                               \
        return RowKernel<Fn<int32_t>, int32_t, int32_t>; \
      case TypeKind::kBigInt:                            \
        return RowKernel<Fn<int64_t>, int64_t, int64_t>; \
      case TypeKind::kFloat:                             \
        return RowKernel<Fn<float>, float, float>;       \
      default:                                           \
        return RowKernel<Fn<double>, double, double>;    \
    }                                                    \
  }
TM_NUMBER_KERNELS(AbsoluteKernelOf, Absolute)
TM_NUMBER_KERNELS(SignKernelOf, Sign)
#undef TM_NUMBER_KERNELS

Result<ResolvedCall> BindNumber(std::string_view name, Args args, ScalarKernel (*kernel_of)(TypeKind),
                                ScalarKernel decimal) {
  if (args.size() != 1 || !(args[0].type.IsNumeric() || args[0].type.kind() == TypeKind::kNull))
    return WrongArguments(name, args, "one number");
  const DataType type = args[0].type.kind() == TypeKind::kNull ? IntType() : args[0].type;
  if (type.kind() != TypeKind::kDecimal) return Bind(name, args, {type}, type, kernel_of(type.kind()));
  // SIGN of DECIMAL(p, p) has no digit for its 1.
  return Bind(name, args, {type}, type, decimal,
              type.precision() > type.scale() ? Nulls::kWhereArguments : Nulls::kMaybe);
}

template <typename T, T (*kFn)(T)>
void RoundFloating(Row&, T x, T& out) {
  out = kFn(x);
}
template <typename T>
void Same(Row&, T x, T& out) {
  out = x;
}

// CEIL and FLOOR of DECIMAL(p, s) are DECIMAL(p, 0): room for the carry wherever there was a fraction.
template <bool kCeil>
Result<arrow::Datum> DecimalStepKernel(EvalContext& context, std::span<const arrow::Datum> args,
                                       const DataType& result) {
  TM_ASSIGN_OR_RETURN(Frame frame, Frame::Make(context, args));
  TM_ASSIGN_OR_RETURN(Validity validity, frame.StrictValidity());
  const Reader<Int128> read(frame.column(0), frame.is_constant(0));
  const Int128 one = PowerOfTen(static_cast<const arrow::DecimalType&>(*frame.column(0).type()).scale());
  return RunRows<Int128>(frame, std::move(validity), result, [&](Row& row, Int128& out) {
    const Int128 x = read(row.index);
    out = x / one;
    const Int128 rest = x % one;
    if (kCeil && rest > 0) ++out;
    if (!kCeil && rest < 0) --out;
    return FitsPrecision(out, result.precision());
  });
}

template <bool kCeil>
Result<ResolvedCall> BindStep(Args args) {
  const char* name = kCeil ? "CEIL" : "FLOOR";
  if (args.size() == 2) return kCeil ? BindTimeCeil(args) : BindTimeFloor(args);
  if (args.size() != 1) return WrongArguments(name, args, "a number, or (time TO unit)");
  const DataType type = args[0].type.kind() == TypeKind::kNull ? DoubleType() : args[0].type;
  constexpr float (*kStepFloat)(float) =
      kCeil ? static_cast<float (*)(float)>(std::ceil) : static_cast<float (*)(float)>(std::floor);
  constexpr double (*kStepDouble)(double) =
      kCeil ? static_cast<double (*)(double)>(std::ceil) : static_cast<double (*)(double)>(std::floor);
  switch (type.kind()) {
    case TypeKind::kTinyInt:
      return Bind(name, args, {type}, type, RowKernel<Same<int8_t>, int8_t, int8_t>);
    case TypeKind::kSmallInt:
      return Bind(name, args, {type}, type, RowKernel<Same<int16_t>, int16_t, int16_t>);
    case TypeKind::kInt:
      return Bind(name, args, {type}, type, RowKernel<Same<int32_t>, int32_t, int32_t>);
    case TypeKind::kBigInt:
      return Bind(name, args, {type}, type, RowKernel<Same<int64_t>, int64_t, int64_t>);
    case TypeKind::kFloat:
      return Bind(name, args, {type}, type, RowKernel<RoundFloating<float, kStepFloat>, float, float>);
    case TypeKind::kDouble:
      return Bind(name, args, {type}, type, RowKernel<RoundFloating<double, kStepDouble>, double, double>);
    case TypeKind::kDecimal: {
      return Bind(name, args, {type}, DataType::Decimal(type.precision(), 0), DecimalStepKernel<kCeil>);
    }
    default:
      return WrongArguments(name, args, "a number, or (time TO unit)");
  }
}

// x rounded to `digits` after the point, HALF_UP on its decimal text (Java's BigDecimal.valueOf), or cut (kCut).
template <bool kCut>
double RoundDouble(double x, int32_t digits) {
  if (!std::isfinite(x) || digits > 300) return x;
  if (digits < -300) return 0;
  Int128 unscaled = 0;
  const bool small = digits >= 0 && digits <= 17 && std::fabs(x) < 1e15;
  if (small) {
    if (!DecimalFromDouble(x, kDecimalDigitsMax, 20, unscaled)) return x;
    const Int128 divisor = PowerOfTen(20 - digits);
    unscaled = kCut ? unscaled / divisor : DivideHalfUp(unscaled, divisor);
    return DecimalToDouble(unscaled, digits);
  }
  const double scale = std::pow(10.0, digits);
  const double scaled = x * scale;
  if (!std::isfinite(scaled)) return x;
  const double rounded = kCut ? std::trunc(scaled) : std::copysign(std::floor(std::fabs(scaled) + 0.5), scaled);
  return rounded / scale;
}
template <bool kCut>
void RoundDoubleTo(Row&, double x, int32_t digits, double& out) {
  out = RoundDouble<kCut>(x, digits);
}
template <typename T, bool kCut>
void RoundIntegerTo(Row&, T x, int32_t digits, T& out) {
  if (digits >= 0) {
    out = x;
    return;
  }
  if (digits < -19) {
    out = 0;
    return;
  }
  const Int128 unit = PowerOfTen(-digits);
  out = static_cast<T>((kCut ? Int128{x} / unit : DivideHalfUp(x, unit)) * unit);
}

// The number of digits is a constant for DECIMAL: the result type needs it.
template <bool kCut>
Result<arrow::Datum> RoundDecimalKernel(EvalContext& context, std::span<const arrow::Datum> args,
                                        const DataType& result) {
  TM_ASSIGN_OR_RETURN(Frame frame, Frame::Make(context, args));
  TM_ASSIGN_OR_RETURN(Validity validity, frame.StrictValidity());
  const Reader<Int128> read(frame.column(0), frame.is_constant(0));
  const int scale = static_cast<const arrow::DecimalType&>(*frame.column(0).type()).scale();
  const int32_t digits = frame.num_columns() > 1 && frame.rows() > 0 ? Reader<int32_t>(frame.column(1), true)(0) : 0;
  if (digits >= scale) {
    return RunRows<Int128>(frame, std::move(validity), result, [&](Row& row, Int128& out) {
      return Rescale(read(row.index), scale, result.precision(), result.scale(), out);
    });
  }
  const int drop = scale - std::max(digits, -38);
  return RunRows<Int128>(frame, std::move(validity), result, [&](Row& row, Int128& out) {
    if (drop > kDecimalDigitsMax) {
      out = 0;
      return true;
    }
    const Int128 unit = PowerOfTen(drop);
    out = kCut ? read(row.index) / unit : DivideHalfUp(read(row.index), unit);
    // Digits before the point that were rounded away come back as zeros.
    return digits >= 0 ? FitsPrecision(out, result.precision()) : Rescale(out, 0, result.precision(), -digits, out);
  });
}

template <bool kCut>
Result<ResolvedCall> BindRounding(Args args) {
  const char* name = kCut ? "TRUNCATE" : "ROUND";
  if (args.empty() || args.size() > 2 || !(args[0].type.IsNumeric() || args[0].type.kind() == TypeKind::kNull) ||
      (args.size() == 2 && !ImplicitlyCastable(args[1].type, IntType()))) {
    return WrongArguments(name, args, "(number [, digits INT])");
  }
  const DataType type = args[0].type.kind() == TypeKind::kNull ? DoubleType() : args[0].type;
  if (type.kind() == TypeKind::kDecimal) {
    int64_t digits = 0;
    if (args.size() == 2) {
      TM_ASSIGN_OR_RETURN(digits, LiteralInteger(name, args, 1, "the number of digits of a DECIMAL"));
    }
    const int scale = static_cast<int>(std::clamp<int64_t>(digits, 0, type.scale()));
    const int whole = type.precision() - type.scale() + (digits >= type.scale() ? 0 : 1);
    const DataType result = DataType::Decimal(std::clamp(whole + scale, 1, 38), scale);
    if (args.size() == 1) return Bind(name, args, {type}, result, RoundDecimalKernel<kCut>, Nulls::kMaybe);
    return Bind(name, args, {type, IntType()}, result, RoundDecimalKernel<kCut>, Nulls::kMaybe);
  }
  if (type.IsInteger()) {
    if (args.size() == 1)
      return Bind(
          name, args, {type}, type,
          [](EvalContext&, std::span<const arrow::Datum> a, const DataType&) -> Result<arrow::Datum> { return a[0]; });
    switch (type.kind()) {
      case TypeKind::kTinyInt:
        return Bind(name, args, {type, IntType()}, type,
                    RowKernel<RoundIntegerTo<int8_t, kCut>, int8_t, int8_t, int32_t>);
      case TypeKind::kSmallInt:
        return Bind(name, args, {type, IntType()}, type,
                    RowKernel<RoundIntegerTo<int16_t, kCut>, int16_t, int16_t, int32_t>);
      case TypeKind::kInt:
        return Bind(name, args, {type, IntType()}, type,
                    RowKernel<RoundIntegerTo<int32_t, kCut>, int32_t, int32_t, int32_t>);
      default:
        return Bind(name, args, {type, IntType()}, type,
                    RowKernel<RoundIntegerTo<int64_t, kCut>, int64_t, int64_t, int32_t>);
    }
  }
  if (args.size() == 1) {
    return Bind(name, args, {DoubleType()}, DoubleType(),
                RowKernel<[](Row&, double x, double& out) { out = RoundDouble<kCut>(x, 0); }, double, double>);
  }
  return Bind(name, args, {DoubleType(), IntType()}, DoubleType(),
              RowKernel<RoundDoubleTo<kCut>, double, double, int32_t>);
}

// ---- RAND. With a seed the n-th row of a batch gets the same number every time; without, the clock is the seed.

Result<arrow::Datum> RandKernel(EvalContext& context, std::span<const arrow::Datum> args, const DataType& result) {
  TM_ASSIGN_OR_RETURN(Frame frame, Frame::Make(context, args));
  uint64_t seed =
      static_cast<uint64_t>(context.clock().NowMicros()) ^ static_cast<uint64_t>(context.clock().MonotonicNanos());
  if (!args.empty() && context.num_rows() > 0 && frame.column(0).IsValid(0)) {
    seed = static_cast<uint64_t>(Reader<int64_t>(frame.column(0), true)(0));
  }
  TM_ASSIGN_OR_RETURN(std::shared_ptr<arrow::Buffer> values,
                      NewBuffer(context.num_rows() * static_cast<int64_t>(sizeof(double))));
  auto* out = reinterpret_cast<double*>(values->mutable_data());
  for (int64_t i = 0; i < context.num_rows(); ++i) {
    const uint64_t bits = MixHash64(MixHash64(seed) + static_cast<uint64_t>(i) * 0x9e3779b97f4a7c15ULL);
    out[i] = static_cast<double>(bits >> 11) * 0x1.0p-53;
  }
  return arrow::Datum(MakeFixedArray(result, context.num_rows(), std::move(values), {}));
}

Result<ResolvedCall> BindRand(Args args) {
  if (args.empty()) return Bind("RAND", args, {}, DoubleType(), RandKernel, Nulls::kNever);
  return Bind("RAND", args, {BigIntType()}, DoubleType(), RandKernel, Nulls::kNever);
}

Result<ResolvedCall> BindLog(Args args) {
  if (args.size() == 2)
    return Bind("LOG", args, {DoubleType(), DoubleType()}, DoubleType(), RowKernel<LogOfBase, double, double, double>);
  return BindDouble<std::log>("LOG", args);
}

template <typename F>
Result<ResolvedCall> BindTwo(std::string_view name, Args args, F kernel) {
  return Bind(name, args, {DoubleType(), DoubleType()}, DoubleType(), kernel);
}

double PiValue() { return M_PI; }
double EValue() { return M_E; }

}  // namespace

std::vector<ScalarFunction> MathFunctions() {
  return {
      {"ABS", "ABS(number) -> its type", "The number without its sign.", "ABS(-2.5)", "2.5",
       [](Args args) {
         return BindNumber("ABS", args, AbsoluteKernelOf, RowKernel<Absolute<Int128>, Int128, Int128>);
       }},
      {"SIGN", "SIGN(number) -> its type", "-1, 0 or 1.", "SIGN(-7)", "-1",
       [](Args args) { return BindNumber("SIGN", args, SignKernelOf, DecimalSignKernel); }},
      {"CEIL", "CEIL(number) -> its type, CEIL(time TO unit)",
       "The next whole number, or the next start of a unit of time.", "CEIL(1.2)", "2", BindStep<true>},
      {"CEILING", "CEILING(number) -> its type, CEILING(time TO unit)", "Another name of CEIL.", "CEILING(-1.2e0)",
       "-1.0", BindStep<true>},
      {"FLOOR", "FLOOR(number) -> its type, FLOOR(time TO unit)",
       "The whole number below, or the start of the unit of time.", "FLOOR(TIMESTAMP '2024-05-17 13:14:15' TO HOUR)",
       "2024-05-17 13:00:00", BindStep<false>},
      {"ROUND", "ROUND(number [, digits INT]) -> number",
       "The number to that many digits after the point, halves away from zero.", "ROUND(2.675e0, 2)", "2.68",
       BindRounding<false>},
      {"TRUNCATE", "TRUNCATE(number [, digits INT]) -> number", "The number cut after that many digits.",
       "TRUNCATE(42.345, 2)", "42.34", BindRounding<true>},
      {"SQRT", "SQRT(number) -> DOUBLE", "The square root; NaN of a negative number.", "SQRT(16)", "4.0",
       [](Args args) { return BindDouble<std::sqrt>("SQRT", args); }},
      {"POWER", "POWER(base, exponent) -> DOUBLE", "The power.", "POWER(2, 10)", "1024.0",
       [](Args args) { return BindTwo("POWER", args, RowKernel<Power, double, double, double>); }},
      {"EXP", "EXP(number) -> DOUBLE", "e to that power.", "EXP(0)", "1.0",
       [](Args args) { return BindDouble<std::exp>("EXP", args); }},
      {"LN", "LN(number) -> DOUBLE", "The natural logarithm.", "LN(1)", "0.0",
       [](Args args) { return BindDouble<std::log>("LN", args); }},
      {"LOG", "LOG([base, ] number) -> DOUBLE", "The logarithm to the base, or the natural one.", "LOG(2, 8)", "3.0",
       BindLog},
      {"LOG2", "LOG2(number) -> DOUBLE", "The logarithm to base 2.", "LOG2(8)", "3.0",
       [](Args args) { return BindDouble<std::log2>("LOG2", args); }},
      {"LOG10", "LOG10(number) -> DOUBLE", "The logarithm to base 10.", "LOG10(1000)", "3.0",
       [](Args args) { return BindDouble<std::log10>("LOG10", args); }},
      {"SIN", "SIN(radians) -> DOUBLE", "The sine.", "SIN(0)", "0.0",
       [](Args args) { return BindDouble<std::sin>("SIN", args); }},
      {"COS", "COS(radians) -> DOUBLE", "The cosine.", "COS(0)", "1.0",
       [](Args args) { return BindDouble<std::cos>("COS", args); }},
      {"TAN", "TAN(radians) -> DOUBLE", "The tangent.", "TAN(0)", "0.0",
       [](Args args) { return BindDouble<std::tan>("TAN", args); }},
      {"COT", "COT(radians) -> DOUBLE", "The cotangent.", "ROUND(COT(1), 6)", "0.642093",
       [](Args args) { return BindDouble<Cot>("COT", args); }},
      {"SINH", "SINH(number) -> DOUBLE", "The hyperbolic sine.", "SINH(0)", "0.0",
       [](Args args) { return BindDouble<std::sinh>("SINH", args); }},
      {"COSH", "COSH(number) -> DOUBLE", "The hyperbolic cosine.", "COSH(0)", "1.0",
       [](Args args) { return BindDouble<std::cosh>("COSH", args); }},
      {"TANH", "TANH(number) -> DOUBLE", "The hyperbolic tangent.", "TANH(0)", "0.0",
       [](Args args) { return BindDouble<std::tanh>("TANH", args); }},
      {"ASIN", "ASIN(number) -> DOUBLE", "The arc sine.", "ASIN(0)", "0.0",
       [](Args args) { return BindDouble<std::asin>("ASIN", args); }},
      {"ACOS", "ACOS(number) -> DOUBLE", "The arc cosine.", "ACOS(1)", "0.0",
       [](Args args) { return BindDouble<std::acos>("ACOS", args); }},
      {"ATAN", "ATAN(number) -> DOUBLE", "The arc tangent.", "ATAN(0)", "0.0",
       [](Args args) { return BindDouble<std::atan>("ATAN", args); }},
      {"ATAN2", "ATAN2(y, x) -> DOUBLE", "The angle of the point (x, y).", "ROUND(ATAN2(1, -1), 6)", "2.356194",
       [](Args args) { return BindTwo("ATAN2", args, RowKernel<ArcTangent2, double, double, double>); }},
      {"RADIANS", "RADIANS(degrees) -> DOUBLE", "Degrees as radians.", "ROUND(RADIANS(180), 6)", "3.141593",
       [](Args args) { return BindDouble<Radians>("RADIANS", args); }},
      {"DEGREES", "DEGREES(radians) -> DOUBLE", "Radians as degrees.", "ROUND(DEGREES(PI()), 6)", "180.0",
       [](Args args) { return BindDouble<Degrees>("DEGREES", args); }},
      {"PI", "PI() -> DOUBLE", "The number pi.", "ROUND(PI(), 6)", "3.141593",
       [](Args args) {
         return Bind("PI", args, {}, DoubleType(), RowKernel<Constant<PiValue>, double>, Nulls::kNever);
       }},
      {"E", "E() -> DOUBLE", "Euler's number.", "ROUND(E(), 6)", "2.718282",
       [](Args args) { return Bind("E", args, {}, DoubleType(), RowKernel<Constant<EValue>, double>, Nulls::kNever); }},
      {"RAND", "RAND([seed INT]) -> DOUBLE", "A random number from 0 to below 1.", "RAND() < 1", "TRUE", BindRand,
       false},
  };
}

}  // namespace tidemill
