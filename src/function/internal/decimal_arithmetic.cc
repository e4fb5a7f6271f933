#include "function/internal/decimal_arithmetic.h"

#include <algorithm>

#include <boost/multiprecision/cpp_int.hpp>

#include "function/internal/decimal.h"
#include "function/internal/row_kernel.h"

namespace tidemill {
namespace {

// 154 digits: the widest step, a division of 38 digits scaled up by 38 + 38 more, has 114. Does not allocate.
using Wide = boost::multiprecision::number<boost::multiprecision::cpp_int_backend<
    512, 512, boost::multiprecision::signed_magnitude, boost::multiprecision::unchecked, void>>;

Wide WideTen(int exponent) {
  Wide power = 1;
  for (; exponent > 38; exponent -= 38) power *= Wide(PowerOfTen(38));
  return power * Wide(PowerOfTen(exponent));
}

// value * 10^shift (HALF_UP when shift is negative) as a decimal of `precision` digits.
bool Narrow(Wide value, int shift, int precision, Int128& out) {
  if (shift > 0) value *= WideTen(shift);
  if (shift < 0) {
    const Wide divisor = WideTen(-shift);
    const bool negative = value < 0;
    if (negative) value = -value;
    Wide quotient = value / divisor;
    if ((value - quotient * divisor) * 2 >= divisor) ++quotient;
    value = negative ? Wide(-quotient) : quotient;
  }
  if (abs(value) >= Wide(PowerOfTen(precision))) return false;
  out = value.convert_to<Int128>();
  return true;
}

struct Scales {
  int left;
  int right;
  int precision;
  int scale;
};

struct AddOp {
  static bool Apply(Row&, const Scales& s, Int128 a, Int128 b, Int128& out) {
    const int scale = std::max(s.left, s.right);
    return Narrow(Wide(a) * WideTen(scale - s.left) + Wide(b) * WideTen(scale - s.right), s.scale - scale, s.precision,
                  out);
  }
};
struct SubtractOp {
  static bool Apply(Row& row, const Scales& s, Int128 a, Int128 b, Int128& out) {
    return AddOp::Apply(row, s, a, -b, out);
  }
};
struct MultiplyOp {
  static bool Apply(Row&, const Scales& s, Int128 a, Int128 b, Int128& out) {
    Int128 product;
    if (s.scale == s.left + s.right && !__builtin_mul_overflow(a, b, &product)) {
      out = product;
      return FitsPrecision(product, s.precision);
    }
    return Narrow(Wide(a) * Wide(b), s.scale - s.left - s.right, s.precision, out);
  }
};
struct DivideOp {
  static bool Apply(Row& row, const Scales& s, Int128 a, Int128 b, Int128& out) {
    if (b == 0) {
      row.Raise(kDivisionByZero, "DECIMAL division by zero");
      return false;
    }
    const int shift = s.scale - s.left + s.right;
    Wide numerator = Wide(AbsoluteOf(a));
    Wide denominator = Wide(AbsoluteOf(b));
    (shift >= 0 ? numerator : denominator) *= WideTen(std::abs(shift));
    Wide quotient = numerator / denominator;
    if ((numerator - quotient * denominator) * 2 >= denominator) ++quotient;
    if ((a < 0) != (b < 0)) quotient = -quotient;
    return Narrow(quotient, 0, s.precision, out);
  }
};
struct ModuloOp {
  static bool Apply(Row& row, const Scales& s, Int128 a, Int128 b, Int128& out) {
    if (b == 0) {
      row.Raise(kDivisionByZero, "DECIMAL division by zero");
      return false;
    }
    const int scale = std::max(s.left, s.right);
    const Wide rest = (Wide(a) * WideTen(scale - s.left)) % (Wide(b) * WideTen(scale - s.right));
    return Narrow(rest, s.scale - scale, s.precision, out);
  }
};

int ScaleOf(const arrow::Array& array) { return static_cast<const arrow::DecimalType&>(*array.type()).scale(); }

// Sums of equal scales with room to spare stay in 128 bits: the common case (money) costs what an integer sum does.
template <typename Op>
Result<arrow::Datum> DecimalKernel(EvalContext& context, std::span<const arrow::Datum> args, const DataType& result) {
  TM_ASSIGN_OR_RETURN(Frame frame, Frame::Make(context, args));
  TM_ASSIGN_OR_RETURN(Validity validity, frame.StrictValidity());
  const Scales scales{ScaleOf(frame.column(0)), ScaleOf(frame.column(1)), result.precision(), result.scale()};
  const Reader<Int128> a(frame.column(0), frame.is_constant(0));
  const Reader<Int128> b(frame.column(1), frame.is_constant(1));
  constexpr bool kSum = std::is_same_v<Op, AddOp> || std::is_same_v<Op, SubtractOp>;
  const auto digits = [&](int i) {
    return static_cast<const arrow::DecimalType&>(*frame.column(i).type()).precision();
  };
  if (kSum && scales.scale == std::max(scales.left, scales.right) &&
      std::max(digits(0) - scales.left, digits(1) - scales.right) + scales.scale < kDecimalDigitsMax) {
    const Int128 up_a = PowerOfTen(scales.scale - scales.left);
    const Int128 up_b = PowerOfTen(scales.scale - scales.right) * (std::is_same_v<Op, SubtractOp> ? -1 : 1);
    return RunRows<Int128>(frame, std::move(validity), result, [&](Row& row, Int128& out) {
      out = a(row.index) * up_a + b(row.index) * up_b;
      return true;
    });
  }
  return RunRows<Int128>(frame, std::move(validity), result, [&](Row& row, Int128& out) {
    return Op::Apply(row, scales, a(row.index), b(row.index), out);
  });
}

}  // namespace

Result<ResolvedCall> BindDecimalArithmetic(std::string_view symbol, Args args) {
  const auto as_decimal = [](const DataType& type, const DataType& other) {
    if (type.kind() == TypeKind::kNull) return other.WithNullable(true);
    return type.kind() == TypeKind::kDecimal ? type : DecimalOfInteger(type.kind()).WithNullable(type.nullable());
  };
  const DataType a = as_decimal(args[0].type, args[1].type);
  const DataType b = as_decimal(args[1].type, args[0].type);
  const int p1 = a.precision(), s1 = a.scale(), p2 = b.precision(), s2 = b.scale();
  DataType result;
  ScalarKernel kernel = nullptr;
  if (symbol == "+" || symbol == "-") {
    const int scale = std::max(s1, s2);
    result = AdjustedDecimal(std::max(p1 - s1, p2 - s2) + scale + 1, scale);
    kernel = symbol == "+" ? DecimalKernel<AddOp> : DecimalKernel<SubtractOp>;
  } else if (symbol == "*") {
    result = AdjustedDecimal(p1 + p2, s1 + s2);
    kernel = DecimalKernel<MultiplyOp>;
  } else if (symbol == "/") {
    const int scale = std::max(6, s1 + p2 + 1);
    result = AdjustedDecimal(p1 - s1 + s2 + scale, scale);
    kernel = DecimalKernel<DivideOp>;
  } else {
    const int scale = std::max(s1, s2);
    result = AdjustedDecimal(std::min(p1 - s1, p2 - s2) + scale, scale);
    kernel = DecimalKernel<ModuloOp>;
  }
  // A result out of range is NULL, so only a sum that can't overflow keeps NOT NULL.
  return Bind(symbol, args, {a, b}, result, kernel, result.precision() < 38 ? Nulls::kWhereArguments : Nulls::kMaybe);
}

}  // namespace tidemill
