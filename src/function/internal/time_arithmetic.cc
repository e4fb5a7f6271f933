#include "function/internal/time_arithmetic.h"

#include <arrow/datum.h>
#include <arrow/scalar.h>

#include "function/internal/civil.h"
#include "function/internal/row_kernel.h"
#include "function/internal/zone.h"

namespace tidemill {
namespace {

bool IsTime(const DataType& type) {
  return type.kind() == TypeKind::kDate || type.kind() == TypeKind::kTime || type.IsTimestamp();
}

template <int64_t kPerMs, bool kMinus>
void ShiftTimestamp(Row&, int64_t value, int64_t interval_ms, int64_t& out) {
  const int64_t shift = WrappingMultiply(interval_ms, kPerMs);
  out = kMinus ? WrappingSubtract(value, shift) : WrappingAdd(value, shift);
}

template <int64_t kPerMs, bool kMinus>
void ShiftTimestampMonths(Row&, int64_t value, int32_t months, int64_t& out) {
  const int64_t day_units = kDayMs * kPerMs;
  const int64_t days = FloorDiv(value, day_units);
  out = WrappingAdd(WrappingMultiply(AddMonths(days, kMinus ? -int64_t{months} : months), day_units),
                    FloorMod(value, day_units));
}

// An instant moves by months on the wall clock of the session's zone.
template <int64_t kPerMs, bool kMinus>
Result<arrow::Datum> ShiftInstantMonths(EvalContext& context, std::span<const arrow::Datum> args,
                                        const DataType& result) {
  TM_ASSIGN_OR_RETURN(ZoneOffsets zone, ZoneOffsets::Make(context.time_zone()));
  TM_ASSIGN_OR_RETURN(Frame frame, Frame::Make(context, args));
  TM_ASSIGN_OR_RETURN(Validity validity, frame.StrictValidity());
  const Reader<int64_t> value(frame.column(0), frame.is_constant(0));
  const Reader<int32_t> months(frame.column(1), frame.is_constant(1));
  return RunRows<int64_t>(frame, std::move(validity), result, [&](Row& row, int64_t& out) {
    const int64_t ms = FloorDiv(value(row.index), kPerMs);
    const int64_t rest = value(row.index) - ms * kPerMs;
    int64_t local = 0;
    ShiftTimestampMonths<1, kMinus>(row, zone.ToLocalMs(ms), months(row.index), local);
    out = WrappingAdd(WrappingMultiply(zone.ToUtcMs(local), kPerMs), rest);
    return true;
  });
}

template <bool kMinus>
void ShiftDateDays(Row&, int32_t days, int64_t interval_ms, int32_t& out) {
  const int64_t shift = interval_ms / kDayMs;
  out = static_cast<int32_t>(kMinus ? days - shift : days + shift);
}
template <bool kMinus>
void ShiftDateMonths(Row&, int32_t days, int32_t months, int32_t& out) {
  out = static_cast<int32_t>(AddMonths(days, kMinus ? -int64_t{months} : months));
}
// A time of day wraps around midnight.
template <bool kMinus>
void ShiftTime(Row&, int32_t time, int64_t interval_ms, int32_t& out) {
  const int64_t shift = interval_ms % kDayMs;
  out = static_cast<int32_t>(FloorMod(kMinus ? time - shift : time + shift, kDayMs));
}

template <int64_t kPerMs>
void TimestampDifference(Row&, int64_t a, int64_t b, int64_t& out) {
  out = WrappingSubtract(a, b) / kPerMs;
}
void DateDifference(Row&, int32_t a, int32_t b, int64_t& out) { out = (int64_t{a} - b) * kDayMs; }
void TimeDifference(Row&, int32_t a, int32_t b, int64_t& out) { out = int64_t{a} - b; }

template <typename T, bool kMinus>
void AddIntervals(Row&, T a, T b, T& out) {
  out = static_cast<T>(kMinus ? WrappingSubtract(a, b) : WrappingAdd(a, b));
}

bool IsWholeDays(const ArgumentInfo& interval) {
  if (interval.type.kind() != TypeKind::kIntervalDay || interval.literal == nullptr) return false;
  const auto& scalar = static_cast<const arrow::Int64Scalar&>(*interval.literal->scalar());
  return scalar.is_valid && scalar.value % kDayMs == 0;
}

// Kernels take (time, interval); a call that gives them the other way round goes through this.
template <ScalarKernel kKernel>
Result<arrow::Datum> SwappedKernel(EvalContext& context, std::span<const arrow::Datum> args, const DataType& result) {
  const arrow::Datum swapped[] = {args[1], args[0]};
  return kKernel(context, std::span<const arrow::Datum>(swapped, 2), result);
}
template <bool kSwapped, ScalarKernel kKernel>
constexpr ScalarKernel Ordered() {
  if constexpr (kSwapped)
    return SwappedKernel<kKernel>;
  else
    return kKernel;
}

template <bool kMinus, bool kSwapped, int64_t kPerMs>
ScalarKernel TimestampKernel(const DataType& time, bool months) {
  if (!months) return Ordered<kSwapped, RowKernel<ShiftTimestamp<kPerMs, kMinus>, int64_t, int64_t, int64_t>>();
  if (time.kind() == TypeKind::kTimestampLtz) return Ordered<kSwapped, ShiftInstantMonths<kPerMs, kMinus>>();
  return Ordered<kSwapped, RowKernel<ShiftTimestampMonths<kPerMs, kMinus>, int64_t, int64_t, int32_t>>();
}

// `time` +/- `interval`, or with kSwapped `interval` + `time`.
template <bool kMinus, bool kSwapped = false>
Result<ResolvedCall> BindShift(const ArgumentInfo& time, const ArgumentInfo& interval) {
  const bool months = interval.type.kind() == TypeKind::kIntervalMonth;
  ResolvedCall call;
  call.result = time.type;
  if (time.type.kind() == TypeKind::kDate && (months || IsWholeDays(interval))) {
    call.kernel = months ? Ordered<kSwapped, RowKernel<ShiftDateMonths<kMinus>, int32_t, int32_t, int32_t>>()
                         : Ordered<kSwapped, RowKernel<ShiftDateDays<kMinus>, int32_t, int32_t, int64_t>>();
  } else if (time.type.kind() == TypeKind::kTime) {
    if (months) return Status(kWrongArguments, "a TIME takes an INTERVAL of days, hours, minutes or seconds");
    call.kernel = Ordered<kSwapped, RowKernel<ShiftTime<kMinus>, int32_t, int32_t, int64_t>>();
  } else {
    if (time.type.kind() == TypeKind::kDate) call.result = DataType::Timestamp(3);
    const int precision = call.result.precision();
    call.kernel = precision <= 3   ? TimestampKernel<kMinus, kSwapped, 1>(call.result, months)
                  : precision <= 6 ? TimestampKernel<kMinus, kSwapped, 1'000>(call.result, months)
                                   : TimestampKernel<kMinus, kSwapped, 1'000'000>(call.result, months);
  }
  call.arguments = {call.result.WithNullable(time.type.nullable()), interval.type};
  if (kSwapped) std::swap(call.arguments[0], call.arguments[1]);
  call.result = call.result.WithNullable(time.type.nullable() || interval.type.nullable());
  return call;
}

template <bool kMinus>
Result<ResolvedCall> BindIntervals(Args args) {
  if (args[0].type.kind() != args[1].type.kind()) {
    return WrongArguments(kMinus ? "-" : "+", args, "intervals of the same kind");
  }
  const bool months = args[0].type.kind() == TypeKind::kIntervalMonth;
  return Bind(kMinus ? "-" : "+", args, {args[0].type, args[0].type}, args[0].type,
              months ? RowKernel<AddIntervals<int32_t, kMinus>, int32_t, int32_t, int32_t>
                     : RowKernel<AddIntervals<int64_t, kMinus>, int64_t, int64_t, int64_t>);
}

}  // namespace

bool TakesTimeArithmetic(Args args) {
  const bool any_time = IsTime(args[0].type) || IsTime(args[1].type);
  const bool both_intervals = args[0].type.IsInterval() && args[1].type.IsInterval();
  return any_time || both_intervals;
}

Result<ResolvedCall> BindTimeAdd(Args args) {
  if (args[0].type.IsInterval() && args[1].type.IsInterval()) return BindIntervals<false>(args);
  if (IsTime(args[0].type) && args[1].type.IsInterval()) return BindShift<false>(args[0], args[1]);
  if (IsTime(args[1].type) && args[0].type.IsInterval()) {
    return BindShift<false, true>(args[1], args[0]);
  }
  return WrongArguments("+", args, "a time and an INTERVAL");
}

Result<ResolvedCall> BindTimeSubtract(Args args) {
  if (args[0].type.IsInterval() && args[1].type.IsInterval()) return BindIntervals<true>(args);
  if (IsTime(args[0].type) && args[1].type.IsInterval()) return BindShift<true>(args[0], args[1]);
  const DataType interval(TypeKind::kIntervalDay);
  const Result<DataType> common = CommonType(args[0].type, args[1].type);
  if (!common.ok()) return WrongArguments("-", args, "a time and an INTERVAL, or two times of the same kind");
  if (common->kind() == TypeKind::kDate) {
    return Bind("-", args, {*common, *common}, interval, RowKernel<DateDifference, int64_t, int32_t, int32_t>);
  }
  if (common->kind() == TypeKind::kTime) {
    return Bind("-", args, {*common, *common}, interval, RowKernel<TimeDifference, int64_t, int32_t, int32_t>);
  }
  const ScalarKernel kernel = common->precision() <= 3 ? RowKernel<TimestampDifference<1>, int64_t, int64_t, int64_t>
                              : common->precision() <= 6
                                  ? RowKernel<TimestampDifference<1'000>, int64_t, int64_t, int64_t>
                                  : RowKernel<TimestampDifference<1'000'000>, int64_t, int64_t, int64_t>;
  return Bind("-", args, {*common, *common}, interval, kernel);
}

}  // namespace tidemill
