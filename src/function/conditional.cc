#include <cmath>

#include <absl/container/flat_hash_set.h>

#include "function/function_groups.h"
#include "function/internal/bind.h"
#include "function/internal/row_kernel.h"
#include "function/internal/value_key.h"

namespace tidemill {
namespace {

template <typename T>
using Owned = std::conditional_t<std::is_same_v<T, std::string_view>, std::string, T>;

// ---- GREATEST and LEAST: NULL when one is NULL.

template <typename T, bool kGreatest>
Result<arrow::Datum> ExtremeKernel(EvalContext& context, std::span<const arrow::Datum> args, const DataType& result) {
  TM_ASSIGN_OR_RETURN(Frame frame, Frame::Make(context, args));
  TM_ASSIGN_OR_RETURN(Validity validity, frame.StrictValidity());
  std::vector<Reader<T>> columns;
  for (int i = 0; i < frame.num_columns(); ++i) columns.emplace_back(frame.column(i), frame.is_constant(i));
  return RunRows<Owned<T>>(frame, std::move(validity), result, [&](Row& row, Owned<T>& out) {
    T best = columns[0](row.index);
    for (size_t i = 1; i < columns.size(); ++i) {
      const T value = columns[i](row.index);
      if (kGreatest ? best < value : value < best) best = value;
    }
    out = best;
    return true;
  });
}

template <bool kGreatest>
Result<ResolvedCall> BindExtreme(Args args) {
  const char* name = kGreatest ? "GREATEST" : "LEAST";
  TM_ASSIGN_OR_RETURN(DataType type, CommonTypeOf(name, args, "values of comparable types"));
  if (type.kind() == TypeKind::kNull) type = IntType();
  ResolvedCall call;
  DispatchPhysical(type.kind(),
                   [&](auto tag) { call.kernel = ExtremeKernel<typename decltype(tag)::Type, kGreatest>; });
  if (call.kernel == nullptr) return WrongArguments(name, args, "values with an order");
  call.result = type.WithNullable(AnyNullable(args));
  for (const ArgumentInfo& arg : args) call.arguments.push_back(type.WithNullable(arg.type.nullable()));
  return call;
}

// ---- IN: a hash set of the constants, made once a batch.

template <typename T>
Result<arrow::Datum> InKernel(EvalContext& context, std::span<const arrow::Datum> args, const DataType& result) {
  TM_ASSIGN_OR_RETURN(Frame frame, Frame::Make(context, args));
  const int value_column = 0;
  TM_ASSIGN_OR_RETURN(Validity validity, frame.ValidityOf({&value_column, 1}));
  absl::flat_hash_set<ValueKey<T>> set;
  bool has_null = false;
  for (int i = 1; i < frame.num_columns() && frame.rows() > 0; ++i) {
    if (frame.column(i).IsNull(0))
      has_null = true;
    else
      set.insert(ValueKey<T>(KeyOf(Reader<T>(frame.column(i), true)(0))));
  }
  const Reader<T> read(frame.column(0), frame.is_constant(0));
  return RunRows<bool>(frame, std::move(validity), result, [&](Row& row, bool& out) {
    const T value = read(row.index);
    out = set.contains(KeyOf(value));
    if constexpr (std::is_floating_point_v<T>) out = out && !std::isnan(value);  // NaN equals nothing
    return out || !has_null;
  });
}

Result<ResolvedCall> BindIn(Args args) {
  if (args.size() < 2) return WrongArguments("IN", args, "a value and constants");
  for (size_t i = 1; i < args.size(); ++i) {
    if (args[i].literal == nullptr) return Status(kWrongArguments, "IN: the list must hold constants");
  }
  TM_ASSIGN_OR_RETURN(DataType type, CommonTypeOf("IN", args, "values of comparable types"));
  if (type.kind() == TypeKind::kNull) type = IntType();
  ResolvedCall call;
  DispatchPhysical(type.kind(), [&](auto tag) { call.kernel = InKernel<typename decltype(tag)::Type>; });
  if (call.kernel == nullptr) return WrongArguments("IN", args, "numbers, texts, BOOLEAN or times");
  call.result = BooleanType().WithNullable(AnyNullable(args));
  for (const ArgumentInfo& arg : args) call.arguments.push_back(type.WithNullable(arg.type.nullable()));
  return call;
}

}  // namespace

std::vector<ScalarFunction> ConditionalFunctions() {
  return {
      {"GREATEST", "GREATEST(value, ...) -> the common type", "The largest value; NULL when one is NULL.",
       "GREATEST(1, 3.5, 2)", "3.5", BindExtreme<true>},
      {"LEAST", "LEAST(value, ...) -> the common type", "The smallest value; NULL when one is NULL.",
       "LEAST('b', 'a', 'c')", "a", BindExtreme<false>},
      {"IN", "value IN (constant, ...)",
       "Whether the value is in the list; NULL when it is not and the list holds a NULL.", "3 IN (1, 2, 3, 4)", "TRUE",
       BindIn},
  };
}

}  // namespace tidemill
