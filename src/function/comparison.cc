#include <arrow/compare.h>

#include "data/schema.h"
#include "function/function_groups.h"
#include "function/internal/bind.h"
#include "function/internal/frame.h"

namespace tidemill {
namespace {

struct Equal {
  template <typename T>
  static bool Apply(T a, T b) {
    return a == b;
  }
};
struct NotEqual {
  template <typename T>
  static bool Apply(T a, T b) {
    return a != b;
  }
};
struct Less {
  template <typename T>
  static bool Apply(T a, T b) {
    return a < b;
  }
};
struct LessEqual {
  template <typename T>
  static bool Apply(T a, T b) {
    return a <= b;
  }
};
struct Greater {
  template <typename T>
  static bool Apply(T a, T b) {
    return a > b;
  }
};
struct GreaterEqual {
  template <typename T>
  static bool Apply(T a, T b) {
    return a >= b;
  }
};

template <typename T, typename Op>
void CompareRows(const Frame& frame, uint8_t* bits) {
  const int64_t rows = frame.rows();
  const Reader<T> a(frame.column(0), frame.is_constant(0));
  const Reader<T> b(frame.column(1), frame.is_constant(1));
  if (rows == 0) return;
  if (frame.is_constant(1)) {
    const T right = b(0);
    const Reader<T> left(frame.column(0), false);
    FillBits(bits, rows, [&](int64_t i) { return Op::template Apply<T>(left(i), right); });
  } else if (frame.is_constant(0)) {
    const T left = a(0);
    const Reader<T> right(frame.column(1), false);
    FillBits(bits, rows, [&](int64_t i) { return Op::template Apply<T>(left, right(i)); });
  } else {
    FillBits(bits, rows, [&](int64_t i) { return Op::template Apply<T>(a(i), b(i)); });
  }
}

template <typename T, typename Op>
Result<arrow::Datum> CompareKernel(EvalContext& context, std::span<const arrow::Datum> args, const DataType& result) {
  TM_ASSIGN_OR_RETURN(Frame frame, Frame::Make(context, args));
  TM_ASSIGN_OR_RETURN(Validity validity, frame.StrictValidity());
  TM_ASSIGN_OR_RETURN(std::shared_ptr<arrow::Buffer> bits, NewBitmap(frame.rows(), false));
  CompareRows<T, Op>(frame, bits->mutable_data());
  return frame.Finish(MakeFixedArray(result, frame.rows(), std::move(bits), validity));
}

// NULL counts as a value: distinct from every other, the same as NULL.
template <typename T, bool kDistinct>
Result<arrow::Datum> DistinctKernel(EvalContext& context, std::span<const arrow::Datum> args, const DataType& result) {
  TM_ASSIGN_OR_RETURN(Frame frame, Frame::Make(context, args));
  TM_ASSIGN_OR_RETURN(std::shared_ptr<arrow::Buffer> bits, NewBitmap(frame.rows(), false));
  CompareRows<T, Equal>(frame, bits->mutable_data());
  const int columns[] = {0, 1};
  TM_ASSIGN_OR_RETURN(Validity left, frame.ValidityOf({columns, 1}));
  TM_ASSIGN_OR_RETURN(Validity right, frame.ValidityOf({columns + 1, 1}));
  for (int64_t i = 0; i < frame.rows(); ++i) {
    const bool a = left.IsValid(i), b = right.IsValid(i);
    const bool same = a && b ? arrow::bit_util::GetBit(bits->data(), i) : a == b;
    arrow::bit_util::SetBitTo(bits->mutable_data(), i, same != kDistinct);
  }
  return frame.Finish(MakeFixedArray(result, frame.rows(), std::move(bits), Validity{}));
}

// Arrays, maps and rows: equality alone, value by value through Arrow.
enum class NestedTest : uint8_t { kEqual, kNotEqual, kDistinct, kNotDistinct };
template <NestedTest kTest>
Result<arrow::Datum> NestedKernel(EvalContext& context, std::span<const arrow::Datum> args, const DataType& result) {
  constexpr bool kNullsCount = kTest == NestedTest::kDistinct || kTest == NestedTest::kNotDistinct;
  TM_ASSIGN_OR_RETURN(Frame frame, Frame::Make(context, args));
  Validity validity;
  if (!kNullsCount) {
    TM_ASSIGN_OR_RETURN(validity, frame.StrictValidity());
  }
  TM_ASSIGN_OR_RETURN(std::shared_ptr<arrow::Buffer> bits, NewBitmap(frame.rows(), false));
  for (int64_t i = 0; i < frame.rows(); ++i) {
    const int64_t a = frame.index(0, i), b = frame.index(1, i);
    const bool same = frame.column(0).RangeEquals(frame.column(1), a, a + 1, b);
    arrow::bit_util::SetBitTo(bits->mutable_data(), i,
                              same == (kTest == NestedTest::kEqual || kTest == NestedTest::kNotDistinct));
  }
  return frame.Finish(MakeFixedArray(result, frame.rows(), std::move(bits), validity));
}

bool IsNested(TypeKind kind) {
  return kind == TypeKind::kArray || kind == TypeKind::kMap || kind == TypeKind::kRow || kind == TypeKind::kMultiset;
}

bool IsTimeLike(const DataType& type) {
  return type.kind() == TypeKind::kDate || type.kind() == TypeKind::kTime || type.IsTimestamp();
}

// A text beside a time is read as that time, as Flink does.
Result<DataType> ComparedType(std::string_view symbol, Args args) {
  if (args.size() != 2) return WrongArguments(symbol, args, "two values of comparable types");
  const DataType& a = args[0].type;
  const DataType& b = args[1].type;
  const auto of_time = [](const DataType& time) {
    return time.IsTimestamp() && time.kind() == TypeKind::kTimestamp
               ? DataType::Timestamp(std::max(3, time.precision()))
           : time.IsTimestamp() ? DataType::TimestampLtz(std::max(3, time.precision()))
                                : time;
  };
  if (a.kind() == TypeKind::kString && IsTimeLike(b)) return of_time(b);
  if (b.kind() == TypeKind::kString && IsTimeLike(a)) return of_time(a);
  Result<DataType> common = CommonType(a, b);
  if (!common.ok()) return WrongArguments(symbol, args, "two values of comparable types");
  if (common->kind() == TypeKind::kNull) return BooleanType();
  return common;
}

Result<ResolvedCall> BindCompared(std::string_view symbol, Args args, ScalarKernel (*kernel_of)(TypeKind),
                                  bool nulls_count) {
  TM_ASSIGN_OR_RETURN(DataType type, ComparedType(symbol, args));
  ResolvedCall call;
  call.kernel = kernel_of(type.kind());
  if (call.kernel == nullptr) return WrongArguments(symbol, args, "two values with an order");
  call.result = BooleanType().WithNullable(!nulls_count && AnyNullable(args));
  for (const ArgumentInfo& arg : args) call.arguments.push_back(type.WithNullable(arg.type.nullable()));
  return call;
}

template <typename Op, NestedTest kTest, bool kHasNested>
Result<ResolvedCall> BindComparison(std::string_view symbol, Args args) {
  return BindCompared(
      symbol, args,
      [](TypeKind kind) -> ScalarKernel {
        if (IsNested(kind)) return kHasNested ? NestedKernel<kTest> : nullptr;
        ScalarKernel kernel = nullptr;
        DispatchPhysical(kind, [&](auto tag) { kernel = CompareKernel<typename decltype(tag)::Type, Op>; });
        return kernel;
      },
      false);
}

template <bool kDistinct>
Result<ResolvedCall> BindDistinct(std::string_view symbol, Args args) {
  return BindCompared(
      symbol, args,
      [](TypeKind kind) -> ScalarKernel {
        if (IsNested(kind)) return NestedKernel < kDistinct ? NestedTest::kDistinct : NestedTest::kNotDistinct > ;
        ScalarKernel kernel = nullptr;
        DispatchPhysical(kind, [&](auto tag) { kernel = DistinctKernel<typename decltype(tag)::Type, kDistinct>; });
        return kernel;
      },
      true);
}

}  // namespace

std::vector<ScalarFunction> ComparisonFunctions() {
  using Test = NestedTest;
  return {
      {"=", "value = value", "Whether both are equal; NULL when one is NULL.", "1 = 1.0", "TRUE",
       [](Args args) { return BindComparison<Equal, Test::kEqual, true>("=", args); }},
      {"<>", "value <> value", "Whether they differ; NULL when one is NULL.", "'a' <> 'b'", "TRUE",
       [](Args args) { return BindComparison<NotEqual, Test::kNotEqual, true>("<>", args); }},
      {"<", "value < value", "Whether the first comes before the second; texts by their UTF-8 bytes.", "2 < 1", "FALSE",
       [](Args args) { return BindComparison<Less, Test::kEqual, false>("<", args); }},
      {"<=", "value <= value", "Whether the first does not come after the second.", "DATE '2024-02-29' <= '2024-03-01'",
       "TRUE", [](Args args) { return BindComparison<LessEqual, Test::kEqual, false>("<=", args); }},
      {">", "value > value", "Whether the first comes after the second.", "'b' > 'abc'", "TRUE",
       [](Args args) { return BindComparison<Greater, Test::kEqual, false>(">", args); }},
      {">=", "value >= value", "Whether the first does not come before the second.", "1.5 >= 2", "FALSE",
       [](Args args) { return BindComparison<GreaterEqual, Test::kEqual, false>(">=", args); }},
      {"IS DISTINCT FROM", "value IS DISTINCT FROM value",
       "Whether they differ, NULL being a value like others; never NULL.", "1 IS DISTINCT FROM NULL", "TRUE",
       [](Args args) { return BindDistinct<true>("IS DISTINCT FROM", args); }},
      {"IS NOT DISTINCT FROM", "value IS NOT DISTINCT FROM value",
       "Whether they are equal, NULL being a value like others; never NULL.", "1 IS NOT DISTINCT FROM NULL", "FALSE",
       [](Args args) { return BindDistinct<false>("IS NOT DISTINCT FROM", args); }},
  };
}

}  // namespace tidemill
