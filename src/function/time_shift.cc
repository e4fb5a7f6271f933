#include <limits>

#include "base/clock.h"
#include "function/function_groups.h"
#include "function/internal/row_kernel.h"
#include "function/internal/time_floor.h"
#include "function/internal/time_unit.h"
#include "function/internal/zone.h"

namespace tidemill {
namespace {

int64_t UnitsPerMs(const DataType& type) {
  return type.precision() <= 3 ? 1 : type.precision() <= 6 ? 1'000 : 1'000'000;
}

bool IsTime(const DataType& type) {
  return type.kind() == TypeKind::kDate || type.kind() == TypeKind::kTime || type.IsTimestamp();
}

// Runs `shift(row, local_ms) -> local_ms` over a time column, on the wall clock of the session's zone for
// TIMESTAMP_LTZ. What lies below a millisecond is kept when `keep_rest`. `T` is the storage: int32_t for DATE and TIME.
template <typename T, typename F>
Result<arrow::Datum> MapClock(Frame& frame, int column, const DataType& type, const DataType& result, bool keep_rest,
                              F&& shift) {
  TM_ASSIGN_OR_RETURN(Validity validity, frame.StrictValidity());
  TM_ASSIGN_OR_RETURN(ZoneOffsets zone,
                      ZoneOffsets::Make(type.kind() == TypeKind::kTimestampLtz ? frame.context().time_zone() : "UTC"));
  const Reader<T> read(frame.column(column), frame.is_constant(column));
  const int64_t per_ms = type.IsTimestamp() ? UnitsPerMs(type) : 1;
  const int64_t scale = type.kind() == TypeKind::kDate ? kDayMs : 1;
  return RunRows<T>(frame, std::move(validity), result, [&](Row& row, T& out) {
    const int64_t value = read(row.index);
    const int64_t ms = FloorDiv(value, per_ms) * scale;
    const int64_t rest = keep_rest ? value - FloorDiv(value, per_ms) * per_ms : 0;
    const int64_t shifted = zone.ToUtcMs(shift(row.index, zone.ToLocalMs(ms)));
    int64_t wide = type.kind() == TypeKind::kTime ? FloorMod(shifted, kDayMs) : FloorDiv(shifted, scale);
    if (__builtin_mul_overflow(wide, per_ms, &wide)) {
      row.Raise(kNumericOverflow, "time out of range");
      return false;
    }
    out = static_cast<T>(wide + rest);
    return true;
  });
}

TimeUnit UnitOf(const Frame& frame, int column) {
  if (frame.rows() == 0) return TimeUnit::kDay;
  return *ParseTimeUnit(Reader<std::string_view>(frame.column(column), true)(0));
}

// ---- FLOOR and CEIL

template <typename T, bool kCeil>
Result<arrow::Datum> RoundKernel(EvalContext& context, std::span<const arrow::Datum> args, const DataType& result) {
  TM_ASSIGN_OR_RETURN(Frame frame, Frame::Make(context, args));
  const TimeUnit unit = UnitOf(frame, 1);
  // A rest below the millisecond lifts the ceiling as well.
  const int64_t per_ms = result.IsTimestamp() ? UnitsPerMs(result) : 1;
  const Reader<T> read(frame.column(0), frame.is_constant(0));
  return MapClock<T>(frame, 0, result, result, false, [&](int64_t row, int64_t local) {
    if (!kCeil) return FloorTo(local, unit);
    const bool rest = per_ms > 1 && FloorMod(read(row), per_ms) != 0;
    return CeilTo(rest ? local + 1 : local, unit);
  });
}

template <bool kCeil>
Result<ResolvedCall> BindRound(Args args) {
  const char* name = kCeil ? "CEIL" : "FLOOR";
  if (args.size() != 2 || !IsTime(args[0].type)) return WrongArguments(name, args, "a number, or (time TO unit)");
  TM_ASSIGN_OR_RETURN(const TimeUnit unit, UnitArgument(name, args, 1));
  if (MonthsOf(unit) == 0 && MillisOf(unit) == 0)
    return WrongArguments(name, args, "a unit from MILLENNIUM to MILLISECOND");
  const DataType& type = args[0].type;
  if (type.kind() == TypeKind::kTime && (MonthsOf(unit) > 0 || MillisOf(unit) > kDayMs))
    return WrongArguments(name, args, "a unit up to DAY for a TIME");
  ResolvedCall call;
  call.result = type.WithNullable(AnyNullable(args));
  call.arguments = {type, args[1].type};
  call.kernel = type.IsTimestamp() ? RoundKernel<int64_t, kCeil> : RoundKernel<int32_t, kCeil>;
  return call;
}

// ---- TIMESTAMPADD and TIMESTAMPDIFF

template <typename T>
Result<arrow::Datum> AddKernel(EvalContext& context, std::span<const arrow::Datum> args, const DataType& result) {
  TM_ASSIGN_OR_RETURN(Frame frame, Frame::Make(context, args));
  const TimeUnit unit = UnitOf(frame, 0);
  const Reader<int64_t> amount(frame.column(1), frame.is_constant(1));
  if (const int64_t months = MonthsOf(unit); months > 0) {
    return MapClock<T>(frame, 2, result, result, true, [&](int64_t row, int64_t local) {
      const int64_t days = FloorDiv(local, kDayMs);
      constexpr int64_t kMonthsMax = 120'000'000;  // ten million years: farther is out of range for every unit
      const int64_t shift = std::clamp(amount(row), -kMonthsMax / months, kMonthsMax / months) * months;
      return WrappingAdd(AddMonths(days, shift) * kDayMs, FloorMod(local, kDayMs));
    });
  }
  const int64_t millis = MillisOf(unit);
  TM_ASSIGN_OR_RETURN(Validity validity, frame.StrictValidity());
  const Reader<T> read(frame.column(2), frame.is_constant(2));
  const int64_t per_ms = result.IsTimestamp() ? UnitsPerMs(result) : 1;
  const bool date = result.kind() == TypeKind::kDate, time = result.kind() == TypeKind::kTime;
  return RunRows<T>(frame, std::move(validity), result, [&](Row& row, T& out) {
    int64_t shift = 0;
    int64_t wide = 0;
    if (__builtin_mul_overflow(amount(row.index), date ? millis / kDayMs : millis * per_ms, &shift) ||
        __builtin_add_overflow(int64_t{read(row.index)}, shift, &wide)) {
      row.Raise(kNumericOverflow, "time out of range");
      return false;
    }
    out = static_cast<T>(time ? FloorMod(wide, kDayMs) : wide);
    return true;
  });
}

Result<ResolvedCall> BindTimestampAdd(Args args) {
  if (args.size() != 3 || !(IsTime(args[2].type) || args[2].type.kind() == TypeKind::kNull) ||
      !ImplicitlyCastable(args[1].type, BigIntType())) {
    return WrongArguments("TIMESTAMPADD", args, "(unit, count INT, time)");
  }
  TM_ASSIGN_OR_RETURN(const TimeUnit unit, UnitArgument("TIMESTAMPADD", args, 0));
  if (MonthsOf(unit) == 0 && MillisOf(unit) == 0)
    return WrongArguments("TIMESTAMPADD", args, "a unit from YEAR to MILLISECOND");
  DataType type = args[2].type.kind() == TypeKind::kNull ? DataType::Timestamp(3) : args[2].type;
  const bool whole_days = MonthsOf(unit) > 0 || MillisOf(unit) >= kDayMs;
  if (type.kind() == TypeKind::kDate && !whole_days) type = DataType::Timestamp(3);
  if (type.kind() == TypeKind::kTime && MonthsOf(unit) > 0)
    return WrongArguments("TIMESTAMPADD", args, "a unit up to DAY for a TIME");
  ResolvedCall call;
  call.result = type.WithNullable(AnyNullable(args));
  call.arguments = {args[0].type, BigIntType().WithNullable(args[1].type.nullable()),
                    type.WithNullable(args[2].type.nullable())};
  call.kernel = type.IsTimestamp() ? AddKernel<int64_t> : AddKernel<int32_t>;
  return call;
}

template <typename Out>
Result<arrow::Datum> DifferenceKernel(EvalContext& context, std::span<const arrow::Datum> args,
                                      const DataType& result) {
  TM_ASSIGN_OR_RETURN(Frame frame, Frame::Make(context, args));
  TM_ASSIGN_OR_RETURN(Validity validity, frame.StrictValidity());
  const TimeUnit unit = UnitOf(frame, 0);
  const Reader<int64_t> from(frame.column(1), frame.is_constant(1));
  const Reader<int64_t> to(frame.column(2), frame.is_constant(2));
  const int64_t months = MonthsOf(unit), millis = MillisOf(unit);
  return RunRows<Out>(frame, std::move(validity), result, [&](Row& row, Out& out) {
    const int64_t a = from(row.index), b = to(row.index);
    const int64_t count = months > 0 ? MonthsBetween(a, b) / months : WrappingSubtract(b, a) / millis;
    out = static_cast<Out>(count);
    if (out != count) {
      row.Raise(kNumericOverflow, "TIMESTAMPDIFF does not fit INT; take a larger unit");
      return false;
    }
    return true;
  });
}

Result<ResolvedCall> BindTimestampDiff(Args args) {
  const auto fits = [](const DataType& type) {
    return type.kind() == TypeKind::kNull || type.kind() == TypeKind::kDate || type.IsTimestamp();
  };
  if (args.size() != 3 || !fits(args[1].type) || !fits(args[2].type)) {
    return WrongArguments("TIMESTAMPDIFF", args, "(unit, from DATE or TIMESTAMP, to DATE or TIMESTAMP)");
  }
  TM_ASSIGN_OR_RETURN(const TimeUnit unit, UnitArgument("TIMESTAMPDIFF", args, 0));
  if (MonthsOf(unit) == 0 && MillisOf(unit) == 0)
    return WrongArguments("TIMESTAMPDIFF", args, "a unit from YEAR to MILLISECOND");
  // Two instants differ by elapsed time; months and a mixture are counted on the session's wall clock.
  const bool instants = args[1].type.kind() == TypeKind::kTimestampLtz &&
                        args[2].type.kind() == TypeKind::kTimestampLtz && MonthsOf(unit) == 0;
  const DataType type = instants ? DataType::TimestampLtz(3) : DataType::Timestamp(3);
  ResolvedCall call;
  call.arguments = {args[0].type, type.WithNullable(args[1].type.nullable()),
                    type.WithNullable(args[2].type.nullable())};
  const bool wide = unit == TimeUnit::kMillisecond;
  call.result = (wide ? BigIntType() : IntType()).WithNullable(AnyNullable(args));
  call.kernel = wide ? DifferenceKernel<int64_t> : DifferenceKernel<int32_t>;
  return call;
}

// ---- The clock

enum class Now : uint8_t { kInstant, kLocal, kDate, kTime, kSeconds };
template <Now kNow>
Result<arrow::Datum> NowKernel(EvalContext& context, std::span<const arrow::Datum>, const DataType& result) {
  const int64_t utc_ms = FloorDiv(context.clock().NowMicros(), 1000);
  TM_ASSIGN_OR_RETURN(ZoneOffsets zone, ZoneOffsets::Make(context.time_zone()));
  const int64_t local_ms = zone.ToLocalMs(utc_ms);
  TM_ASSIGN_OR_RETURN(Frame frame, Frame::Make(context, {}));
  constexpr bool k32 = kNow == Now::kDate || kNow == Now::kTime;
  using T = std::conditional_t<k32, int32_t, int64_t>;
  return RunRows<T>(frame, {}, result, [&](Row&, T& out) {
    switch (kNow) {
      case Now::kInstant:
        out = static_cast<T>(utc_ms);
        break;
      case Now::kLocal:
        out = static_cast<T>(local_ms);
        break;
      case Now::kDate:
        out = static_cast<T>(FloorDiv(local_ms, kDayMs));
        break;
      case Now::kTime:
        out = static_cast<T>(FloorMod(local_ms, kDayMs));
        break;
      case Now::kSeconds:
        out = static_cast<T>(FloorDiv(utc_ms, 1000));
        break;
    }
    return true;
  });
}

template <Now kNow>
Result<ResolvedCall> BindNow(Args args) {
  const DataType type = kNow == Now::kInstant ? DataType::TimestampLtz(3)
                        : kNow == Now::kLocal ? DataType::Timestamp(3)
                        : kNow == Now::kDate  ? DateType()
                        : kNow == Now::kTime  ? TimeType()
                                              : BigIntType();
  return Bind("the clock", args, {}, type, NowKernel<kNow>, Nulls::kNever);
}

}  // namespace

Result<ResolvedCall> BindTimeFloor(Args args) { return BindRound<false>(args); }
Result<ResolvedCall> BindTimeCeil(Args args) { return BindRound<true>(args); }

std::vector<ScalarFunction> TimeArithmeticFunctions() {
  const bool kChanges = false;
  return {
      {"TIMESTAMPADD", "TIMESTAMPADD(unit, count INT, time) -> the time's type",
       "The time that many units later; months keep the day, or take the month's last one.",
       "TIMESTAMPADD(MONTH, 1, DATE '2024-01-31')", "2024-02-29", BindTimestampAdd},
      {"TIMESTAMPDIFF", "TIMESTAMPDIFF(unit, from, to) -> INT",
       "How many whole units lie between; months and years by the calendar, shorter ones by elapsed time.",
       "TIMESTAMPDIFF(HOUR, TIMESTAMP '2024-05-17 10:00:00', TIMESTAMP '2024-05-18 09:59:59')", "23",
       BindTimestampDiff},
      {"CURRENT_TIMESTAMP", "CURRENT_TIMESTAMP -> TIMESTAMP_LTZ(3)", "The machine's clock when the rows are processed.",
       "CURRENT_TIMESTAMP", "2024-01-02 03:04:05.123", BindNow<Now::kInstant>, kChanges},
      {"NOW", "NOW() -> TIMESTAMP_LTZ(3)", "The machine's clock when the rows are processed.", "NOW()",
       "2024-01-02 03:04:05.123", BindNow<Now::kInstant>, kChanges},
      {"CURRENT_ROW_TIMESTAMP", "CURRENT_ROW_TIMESTAMP() -> TIMESTAMP_LTZ(3)",
       "The machine's clock when the rows are processed.", "CURRENT_ROW_TIMESTAMP()", "2024-01-02 03:04:05.123",
       BindNow<Now::kInstant>, kChanges},
      {"PROCTIME", "PROCTIME() -> TIMESTAMP_LTZ(3)", "The processing time of the rows.", "PROCTIME()",
       "2024-01-02 03:04:05.123", BindNow<Now::kInstant>, kChanges},
      {"LOCALTIMESTAMP", "LOCALTIMESTAMP -> TIMESTAMP(3)", "The machine's clock as a wall clock of the session's zone.",
       "LOCALTIMESTAMP", "2024-01-02 03:04:05.123", BindNow<Now::kLocal>, kChanges},
      {"CURRENT_DATE", "CURRENT_DATE -> DATE", "Today in the session's zone.", "CURRENT_DATE", "2024-01-02",
       BindNow<Now::kDate>, kChanges},
      {"CURRENT_TIME", "CURRENT_TIME -> TIME", "The time of day in the session's zone.", "CURRENT_TIME", "03:04:05.123",
       BindNow<Now::kTime>, kChanges},
      {"LOCALTIME", "LOCALTIME -> TIME", "The time of day in the session's zone.", "LOCALTIME", "03:04:05.123",
       BindNow<Now::kTime>, kChanges},
  };
}

}  // namespace tidemill
