#include "function/function_groups.h"
#include "function/internal/row_kernel.h"
#include "function/internal/time_unit.h"

namespace tidemill {
namespace {

// A wall clock: days, the nanoseconds of the day, and the value as a whole in milliseconds.
struct Clockface {
  int64_t days;
  int64_t nanos;
  int64_t epoch_ms;
};

int64_t FieldOf(const Clockface& clock, TimeUnit unit) {
  const int64_t second = clock.nanos / 1'000'000'000;
  switch (unit) {
    case TimeUnit::kMillennium:
      return FloorDiv(CivilOf(clock.days).year - 1, 1000) + 1;
    case TimeUnit::kCentury:
      return FloorDiv(CivilOf(clock.days).year - 1, 100) + 1;
    case TimeUnit::kDecade:
      return FloorDiv(CivilOf(clock.days).year, 10);
    case TimeUnit::kYear:
      return CivilOf(clock.days).year;
    case TimeUnit::kIsoYear:
      return IsoWeekOf(clock.days).year;
    case TimeUnit::kQuarter:
      return (CivilOf(clock.days).month - 1) / 3 + 1;
    case TimeUnit::kMonth:
      return CivilOf(clock.days).month;
    case TimeUnit::kWeek:
      return IsoWeekOf(clock.days).week;
    case TimeUnit::kDay:
      return CivilOf(clock.days).day;
    case TimeUnit::kDayOfYear:
      return clock.days - DaysFromCivil(CivilOf(clock.days).year, 1, 1) + 1;
    case TimeUnit::kDayOfWeek:
      return FloorMod(clock.days + 4, 7) + 1;
    case TimeUnit::kIsoDayOfWeek:
      return IsoDayOfWeek(clock.days);
    case TimeUnit::kHour:
      return second / 3600;
    case TimeUnit::kMinute:
      return second / 60 % 60;
    case TimeUnit::kSecond:
      return second % 60;
    case TimeUnit::kMillisecond:
      return clock.nanos / 1'000'000 % 1000;
    case TimeUnit::kMicrosecond:
      return clock.nanos / 1000 % 1'000'000;
    case TimeUnit::kNanosecond:
      return clock.nanos % 1'000'000'000;
    case TimeUnit::kEpoch:
      return FloorDiv(clock.epoch_ms, 1000);
  }
  return 0;
}

// From the storage of a DATE, TIME or TIMESTAMP with `kPerMs` units a millisecond.
enum class Source : uint8_t { kDate, kTime, kTimestamp };
template <Source kSource, int64_t kPerMs>
Clockface Read(int64_t value) {
  if constexpr (kSource == Source::kDate) return {value, 0, value * kDayMs};
  if constexpr (kSource == Source::kTime) return {0, value * 1'000'000, value};
  const int64_t days = FloorDiv(value, kDayMs * kPerMs);
  return {days, (value - days * kDayMs * kPerMs) * (1'000'000 / kPerMs), FloorDiv(value, kPerMs)};
}

// One loop per unit: the switch on it is folded away inside.
template <TimeUnit kUnit, Source kSource, int64_t kPerMs = 1>
Result<arrow::Datum> FieldKernel(EvalContext& context, std::span<const arrow::Datum> args, const DataType& result) {
  using T = std::conditional_t<kSource == Source::kTimestamp, int64_t, int32_t>;
  TM_ASSIGN_OR_RETURN(Frame frame, Frame::Make(context, args.last(1)));
  TM_ASSIGN_OR_RETURN(Validity validity, frame.StrictValidity());
  const Reader<T> read(frame.column(0), frame.is_constant(0));
  return RunRows<int64_t>(frame, std::move(validity), result, [&](Row& row, int64_t& out) {
    out = FieldOf(Read<kSource, kPerMs>(read(row.index)), kUnit);
    return true;
  });
}

template <Source kSource, int64_t kPerMs = 1>
ScalarKernel FieldKernelOf(TimeUnit unit) {
  switch (unit) {
#define TM_UNIT(name)  \
  case TimeUnit::name: \
    return FieldKernel<TimeUnit::name, kSource, kPerMs>
    TM_UNIT(kMillennium);
    TM_UNIT(kCentury);
    TM_UNIT(kDecade);
    TM_UNIT(kYear);
    TM_UNIT(kIsoYear);
    TM_UNIT(kQuarter);
    TM_UNIT(kMonth);
    TM_UNIT(kWeek);
    TM_UNIT(kDay);
    TM_UNIT(kDayOfYear);
    TM_UNIT(kDayOfWeek);
    TM_UNIT(kIsoDayOfWeek);
    TM_UNIT(kHour);
    TM_UNIT(kMinute);
    TM_UNIT(kSecond);
    TM_UNIT(kMillisecond);
    TM_UNIT(kMicrosecond);
    TM_UNIT(kNanosecond);
    TM_UNIT(kEpoch);
#undef TM_UNIT
  }
  return nullptr;
}

// The parts of an interval, cut toward zero: EXTRACT(HOUR FROM INTERVAL '1' DAY + INTERVAL '2' HOUR) is 2.
template <typename T>
Result<arrow::Datum> IntervalKernel(EvalContext& context, std::span<const arrow::Datum> args, const DataType& result) {
  TM_ASSIGN_OR_RETURN(Frame frame, Frame::Make(context, args));
  const int value_column = frame.num_columns() - 1;
  TM_ASSIGN_OR_RETURN(Validity validity, frame.StrictValidity());
  if (frame.rows() == 0) return frame.Finish(MakeFixedArray(result, 0, nullptr, {}));
  const TimeUnit unit = *ParseTimeUnit(Reader<std::string_view>(frame.column(0), true)(0));
  const Reader<T> read(frame.column(value_column), frame.is_constant(value_column));
  int64_t size = 1, above = 0;
  if (std::is_same_v<T, int32_t>) {
    size = MonthsOf(unit);
    above = unit == TimeUnit::kYear ? 0 : 12;
  } else if (unit == TimeUnit::kEpoch) {
    size = 1000;
  } else {
    size = MillisOf(unit);
    above = unit == TimeUnit::kDay      ? 0
            : unit == TimeUnit::kHour   ? kDayMs
            : unit == TimeUnit::kMinute ? 3'600'000
            : unit == TimeUnit::kSecond ? 60'000
                                        : 1000;
  }
  return RunRows<int64_t>(frame, std::move(validity), result, [&](Row& row, int64_t& out) {
    const int64_t value = read(row.index);
    out = (above > 0 ? value % above : value) / size;
    return true;
  });
}

Result<ResolvedCall> BindField(std::string_view name, TimeUnit unit, Args args) {
  const ArgumentInfo& value = args.back();
  const bool of_day = unit >= TimeUnit::kHour && unit <= TimeUnit::kNanosecond;
  ResolvedCall call;
  for (size_t i = 0; i + 1 < args.size(); ++i) call.arguments.push_back(args[i].type);
  DataType type = value.type;
  if (type.kind() == TypeKind::kNull || type.kind() == TypeKind::kString) type = DataType::Timestamp(3);
  switch (type.kind()) {
    case TypeKind::kDate:
      call.kernel = FieldKernelOf<Source::kDate>(unit);
      break;
    case TypeKind::kTime:
      if (!of_day && unit != TimeUnit::kEpoch) return WrongArguments(name, args, "a DATE or TIMESTAMP for this unit");
      call.kernel = FieldKernelOf<Source::kTime>(unit);
      break;
    case TypeKind::kTimestamp:
    case TypeKind::kTimestampLtz:
      // Fields are read from the wall clock of the session's zone; finer digits only where they are asked for.
      if (unit == TimeUnit::kNanosecond) {
        type = DataType::Timestamp(9);
        call.kernel = FieldKernelOf<Source::kTimestamp, 1'000'000>(unit);
      } else if (unit == TimeUnit::kMicrosecond) {
        type = DataType::Timestamp(6);
        call.kernel = FieldKernelOf<Source::kTimestamp, 1'000>(unit);
      } else {
        type = DataType::Timestamp(3);
        call.kernel = FieldKernelOf<Source::kTimestamp>(unit);
      }
      break;
    case TypeKind::kIntervalMonth:
      if (args.size() != 2 || (unit != TimeUnit::kYear && unit != TimeUnit::kMonth))
        return WrongArguments(name, args, "YEAR or MONTH of this INTERVAL");
      call.kernel = IntervalKernel<int32_t>;
      break;
    case TypeKind::kIntervalDay:
      if (args.size() != 2 || (unit != TimeUnit::kDay && unit != TimeUnit::kEpoch &&
                               !(unit >= TimeUnit::kHour && unit <= TimeUnit::kMillisecond))) {
        return WrongArguments(name, args, "DAY, HOUR, MINUTE, SECOND, MILLISECOND or EPOCH of this INTERVAL");
      }
      call.kernel = IntervalKernel<int64_t>;
      break;
    default:
      return WrongArguments(name, args, "a DATE, TIME, TIMESTAMP or INTERVAL");
  }
  call.arguments.push_back(type.WithNullable(value.type.nullable()));
  call.result = BigIntType().WithNullable(AnyNullable(args));
  return call;
}

template <TimeUnit kUnit>
Result<ResolvedCall> BindOne(Args args) {
  if (args.size() != 1) return WrongArguments("the function", args, "one DATE, TIME or TIMESTAMP");
  return BindField("the function", kUnit, args);
}

Result<ResolvedCall> BindExtract(Args args) {
  if (args.size() != 2) return WrongArguments("EXTRACT", args, "(unit FROM time)");
  TM_ASSIGN_OR_RETURN(const TimeUnit unit, UnitArgument("EXTRACT", args, 0));
  return BindField("EXTRACT", unit, args);
}

}  // namespace

std::vector<ScalarFunction> TimeFieldFunctions() {
  return {
      {"EXTRACT", "EXTRACT(unit FROM time) -> BIGINT",
       "A field of a time: YEAR, QUARTER, MONTH, WEEK (ISO), DAY, DOY, DOW (1 = Sunday), HOUR, MINUTE, SECOND, "
       "MILLISECOND, EPOCH and others.",
       "EXTRACT(QUARTER FROM DATE '2024-05-17')", "2", BindExtract},
      {"YEAR", "YEAR(time) -> BIGINT", "The year.", "YEAR(DATE '2024-05-17')", "2024", BindOne<TimeUnit::kYear>},
      {"QUARTER", "QUARTER(time) -> BIGINT", "The quarter of the year, 1 to 4.", "QUARTER(DATE '2024-05-17')", "2",
       BindOne<TimeUnit::kQuarter>},
      {"MONTH", "MONTH(time) -> BIGINT", "The month, 1 to 12.", "MONTH(DATE '2024-05-17')", "5",
       BindOne<TimeUnit::kMonth>},
      {"WEEK", "WEEK(time) -> BIGINT", "The ISO week of the year, 1 to 53.", "WEEK(DATE '2021-01-03')", "53",
       BindOne<TimeUnit::kWeek>},
      {"DAYOFYEAR", "DAYOFYEAR(time) -> BIGINT", "The day of the year, 1 to 366.", "DAYOFYEAR(DATE '2024-12-31')",
       "366", BindOne<TimeUnit::kDayOfYear>},
      {"DAYOFMONTH", "DAYOFMONTH(time) -> BIGINT", "The day of the month, 1 to 31.", "DAYOFMONTH(DATE '2024-05-17')",
       "17", BindOne<TimeUnit::kDay>},
      {"DAYOFWEEK", "DAYOFWEEK(time) -> BIGINT", "The day of the week, 1 = Sunday to 7 = Saturday.",
       "DAYOFWEEK(DATE '2024-05-17')", "6", BindOne<TimeUnit::kDayOfWeek>},
      {"HOUR", "HOUR(time) -> BIGINT", "The hour, 0 to 23.", "HOUR(TIMESTAMP '2024-05-17 13:14:15')", "13",
       BindOne<TimeUnit::kHour>},
      {"MINUTE", "MINUTE(time) -> BIGINT", "The minute, 0 to 59.", "MINUTE(TIME '13:14:15')", "14",
       BindOne<TimeUnit::kMinute>},
      {"SECOND", "SECOND(time) -> BIGINT", "The second, 0 to 59.", "SECOND(TIMESTAMP '2024-05-17 13:14:15.9')", "15",
       BindOne<TimeUnit::kSecond>},
  };
}

}  // namespace tidemill
