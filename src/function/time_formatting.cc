#include <cmath>
#include <limits>
#include <optional>

#include "base/clock.h"
#include "data/time_text.h"
#include "function/function_groups.h"
#include "function/internal/bind.h"
#include "function/internal/civil.h"
#include "function/internal/row_kernel.h"
#include "function/internal/time_format.h"
#include "function/internal/zone.h"

namespace tidemill {
namespace {

constexpr std::string_view kDefaultPattern = "yyyy-MM-dd HH:mm:ss";

int64_t UnitsPerSecond(int precision) { return precision <= 3 ? 1'000 : precision <= 6 ? 1'000'000 : 1'000'000'000; }

// The pattern of the row: made anew only where it differs from the row before, so a constant one is made once.
class FormatOfRow {
 public:
  FormatOfRow(const Frame& frame, int column) {
    if (column < frame.num_columns()) reader_.emplace(frame.column(column), frame.is_constant(column));
  }
  // nullptr after a row error.
  const TimeFormat* At(Row& row) {
    const std::string_view pattern = reader_ ? (*reader_)(row.index) : kDefaultPattern;
    if (!made_ || pattern != pattern_) {
      pattern_ = pattern;
      made_.emplace(TimeFormat::Make(pattern));
    }
    if (made_->ok()) return &**made_;
    row.Raise(kInvalidArgument, made_->status().message());
    return nullptr;
  }

 private:
  std::optional<Reader<std::string_view>> reader_;
  std::string pattern_;
  std::optional<Result<TimeFormat>> made_;
};

// ---- To text

template <int kPrecision>
Result<arrow::Datum> DateFormatKernel(EvalContext& context, std::span<const arrow::Datum> args,
                                      const DataType& result) {
  TM_ASSIGN_OR_RETURN(Frame frame, Frame::Make(context, args));
  TM_ASSIGN_OR_RETURN(Validity validity, frame.StrictValidity());
  const Reader<int64_t> value(frame.column(0), frame.is_constant(0));
  FormatOfRow formats(frame, 1);
  const int64_t units = UnitsPerSecond(kPrecision);
  return RunRows<std::string>(frame, std::move(validity), result, [&](Row& row, std::string& out) {
    const TimeFormat* format = formats.At(row);
    if (format == nullptr) return false;
    if (format->has_offset()) {
      row.Raise(kInvalidArgument, "a TIMESTAMP has no zone to write; leave X, x and Z out of the pattern");
      return false;
    }
    const int64_t seconds = FloorDiv(value(row.index), units);
    format->Format(seconds, static_cast<int32_t>((value(row.index) - seconds * units) * (1'000'000'000 / units)), out);
    return true;
  });
}

Result<ResolvedCall> BindDateFormat(Args args) {
  const bool takes =
      args.size() == 2 && (args[0].type.IsTimestamp() || args[0].type.kind() == TypeKind::kDate ||
                           args[0].type.kind() == TypeKind::kString || args[0].type.kind() == TypeKind::kNull);
  if (!takes || !ImplicitlyCastable(args[1].type, StringType()))
    return WrongArguments("DATE_FORMAT", args, "(TIMESTAMP, pattern STRING)");
  const int precision = args[0].type.IsTimestamp() ? args[0].type.precision() : 3;
  ResolvedCall call;
  call.result = StringType().WithNullable(AnyNullable(args));
  call.kernel = precision <= 3 ? DateFormatKernel<3> : precision <= 6 ? DateFormatKernel<6> : DateFormatKernel<9>;
  call.arguments = {DataType::Timestamp(precision <= 3 ? 3 : precision).WithNullable(args[0].type.nullable()),
                    StringType().WithNullable(args[1].type.nullable())};
  return call;
}

Result<arrow::Datum> FromUnixtimeKernel(EvalContext& context, std::span<const arrow::Datum> args,
                                        const DataType& result) {
  TM_ASSIGN_OR_RETURN(ZoneOffsets zone, ZoneOffsets::Make(context.time_zone()));
  TM_ASSIGN_OR_RETURN(Frame frame, Frame::Make(context, args));
  TM_ASSIGN_OR_RETURN(Validity validity, frame.StrictValidity());
  const Reader<int64_t> value(frame.column(0), frame.is_constant(0));
  FormatOfRow formats(frame, 1);
  return RunRows<std::string>(frame, std::move(validity), result, [&](Row& row, std::string& out) {
    constexpr int64_t kSecondsMax = 31'556'889'864'403'199;  // the year 1,000,000,000
    const TimeFormat* format = formats.At(row);
    if (format == nullptr || std::abs(value(row.index)) > kSecondsMax) return false;
    if (format->has_offset()) {
      row.Raise(kInvalidArgument, "leave X, x and Z out of the pattern");
      return false;
    }
    format->Format(FloorDiv(zone.ToLocalMs(value(row.index) * 1000), 1000), 0, out);
    return true;
  });
}

Result<ResolvedCall> BindFromUnixtime(Args args) {
  if (args.size() == 1)
    return Bind("FROM_UNIXTIME", args, {BigIntType()}, StringType(), FromUnixtimeKernel, Nulls::kMaybe);
  return Bind("FROM_UNIXTIME", args, {BigIntType(), StringType()}, StringType(), FromUnixtimeKernel, Nulls::kMaybe);
}

// ---- From text. What does not parse is NULL.

// The wall clock of a text, by the pattern when there is one, else as CAST reads it.
class ClockReader {
 public:
  ClockReader(const Frame& frame, int pattern_column)
      : formats_(frame, pattern_column), has_pattern_(pattern_column < frame.num_columns()) {}
  bool Read(Row& row, std::string_view text, TimeFormat::Parsed& out) {
    if (has_pattern_) {
      const TimeFormat* format = formats_.At(row);
      return format != nullptr && format->Parse(text, out);
    }
    TimestampText parsed;
    if (!ParseTimestampText(text, TimeSyntax::kCast, parsed)) return false;
    out = {parsed.seconds, parsed.nanos, parsed.has_zone, parsed.zone_seconds};
    return true;
  }

 private:
  FormatOfRow formats_;
  bool has_pattern_;
};

Result<arrow::Datum> ToTimestampKernel(EvalContext& context, std::span<const arrow::Datum> args,
                                       const DataType& result) {
  TM_ASSIGN_OR_RETURN(Frame frame, Frame::Make(context, args));
  TM_ASSIGN_OR_RETURN(Validity validity, frame.StrictValidity());
  const Reader<std::string_view> text(frame.column(0), frame.is_constant(0));
  ClockReader clock(frame, 1);
  return RunRows<int64_t>(frame, std::move(validity), result, [&](Row& row, int64_t& out) {
    TimeFormat::Parsed parsed;
    if (!clock.Read(row, text(row.index), parsed) || (parsed.has_offset && parsed.offset_s != 0)) return false;
    return TimestampValue(parsed.seconds, parsed.nanos, 3, out);
  });
}

Result<arrow::Datum> ToDateKernel(EvalContext& context, std::span<const arrow::Datum> args, const DataType& result) {
  TM_ASSIGN_OR_RETURN(Frame frame, Frame::Make(context, args));
  TM_ASSIGN_OR_RETURN(Validity validity, frame.StrictValidity());
  const Reader<std::string_view> text(frame.column(0), frame.is_constant(0));
  ClockReader clock(frame, 1);
  return RunRows<int32_t>(frame, std::move(validity), result, [&](Row& row, int32_t& out) {
    TimeFormat::Parsed parsed;
    if (!clock.Read(row, text(row.index), parsed)) return false;
    out = static_cast<int32_t>(FloorDiv(parsed.seconds, 86'400));
    return true;
  });
}

// (text [, pattern [, zone]]); the zone is the session's when not given.
Result<arrow::Datum> InstantFromTextKernel(EvalContext& context, std::span<const arrow::Datum> args,
                                           const DataType& result) {
  TM_ASSIGN_OR_RETURN(Frame frame, Frame::Make(context, args));
  TM_ASSIGN_OR_RETURN(Validity validity, frame.StrictValidity());
  const Reader<std::string_view> text(frame.column(0), frame.is_constant(0));
  ClockReader clock(frame, 1);
  std::string zone_name = context.time_zone();
  TM_ASSIGN_OR_RETURN(ZoneOffsets zone, ZoneOffsets::Make(zone_name));
  return RunRows<int64_t>(frame, std::move(validity), result, [&](Row& row, int64_t& out) {
    TimeFormat::Parsed parsed;
    if (!clock.Read(row, text(row.index), parsed)) return false;
    if (frame.num_columns() > 2) {
      const std::string_view name = Reader<std::string_view>(frame.column(2), frame.is_constant(2))(row.index);
      if (name != zone_name) {
        Result<ZoneOffsets> made = ZoneOffsets::Make(std::string(name));
        if (!made.ok()) {
          row.Raise(kInvalidArgument, made.status().message());
          return false;
        }
        zone = *std::move(made);
        zone_name = name;
      }
    }
    const int64_t seconds =
        parsed.has_offset ? parsed.seconds - parsed.offset_s : FloorDiv(zone.ToUtcMs(parsed.seconds * 1000), 1000);
    return TimestampValue(seconds, parsed.nanos, 3, out);
  });
}

// (number, digits of it below a second); the digits are a constant.
template <typename T>
Result<arrow::Datum> InstantFromNumberKernel(EvalContext& context, std::span<const arrow::Datum> args,
                                             const DataType& result) {
  TM_ASSIGN_OR_RETURN(Frame frame, Frame::Make(context, args));
  TM_ASSIGN_OR_RETURN(Validity validity, frame.StrictValidity());
  const Reader<T> value(frame.column(0), frame.is_constant(0));
  const int32_t digits = frame.num_columns() > 1 && frame.rows() > 0 ? Reader<int32_t>(frame.column(1), true)(0) : 3;
  int64_t per_ms = 1;
  for (int i = 3; i < digits; ++i) per_ms *= 10;
  int64_t ms_each = 1;
  for (int i = digits; i < 3; ++i) ms_each *= 10;
  return RunRows<int64_t>(frame, std::move(validity), result, [&](Row& row, int64_t& out) {
    if constexpr (std::is_same_v<T, double>) {
      const double ms = std::floor(value(row.index) * static_cast<double>(ms_each) / static_cast<double>(per_ms));
      if (!(std::fabs(ms) < 9e18)) return false;
      out = static_cast<int64_t>(ms);
      return true;
    } else {
      return !__builtin_mul_overflow(FloorDiv(value(row.index), per_ms), ms_each, &out);
    }
  });
}

Result<ResolvedCall> BindToInstant(Args args) {
  const DataType result = DataType::TimestampLtz(3);
  if (!args.empty() && args[0].type.IsNumeric() && args.size() <= 2) {
    if (args.size() == 2) {
      TM_ASSIGN_OR_RETURN(const int64_t digits, LiteralInteger("TO_TIMESTAMP_LTZ", args, 1, "the precision"));
      if (digits < 0 || digits > 9) return Status(kWrongArguments, "TO_TIMESTAMP_LTZ: the precision is 0 to 9");
    }
    const bool integer = args[0].type.IsInteger();
    const ScalarKernel kernel = integer ? InstantFromNumberKernel<int64_t> : InstantFromNumberKernel<double>;
    const DataType number = integer ? BigIntType() : DoubleType();
    if (args.size() == 1) return Bind("TO_TIMESTAMP_LTZ", args, {number}, result, kernel, Nulls::kMaybe);
    return Bind("TO_TIMESTAMP_LTZ", args, {number, IntType()}, result, kernel, Nulls::kMaybe);
  }
  if (args.size() == 1)
    return Bind("TO_TIMESTAMP_LTZ", args, {StringType()}, result, InstantFromTextKernel, Nulls::kMaybe);
  if (args.size() == 2)
    return Bind("TO_TIMESTAMP_LTZ", args, {StringType(), StringType()}, result, InstantFromTextKernel, Nulls::kMaybe);
  return Bind("TO_TIMESTAMP_LTZ", args, {StringType(), StringType(), StringType()}, result, InstantFromTextKernel,
              Nulls::kMaybe);
}

template <ScalarKernel kKernel>
Result<ResolvedCall> BindFromText(std::string_view name, Args args, DataType result) {
  if (args.size() == 1) return Bind(name, args, {StringType()}, std::move(result), kKernel, Nulls::kMaybe);
  return Bind(name, args, {StringType(), StringType()}, std::move(result), kKernel, Nulls::kMaybe);
}

// The clock without arguments; with them, the seconds of a text, and the smallest BIGINT where it does not parse, as
// Flink.
Result<arrow::Datum> UnixTimestampKernel(EvalContext& context, std::span<const arrow::Datum> args,
                                         const DataType& result) {
  TM_ASSIGN_OR_RETURN(ZoneOffsets zone, ZoneOffsets::Make(context.time_zone()));
  TM_ASSIGN_OR_RETURN(Frame frame, Frame::Make(context, args));
  TM_ASSIGN_OR_RETURN(Validity validity, frame.StrictValidity());
  if (args.empty()) {
    const int64_t now = FloorDiv(context.clock().NowMicros(), 1'000'000);
    return RunRows<int64_t>(frame, std::move(validity), result, [&](Row&, int64_t& out) {
      out = now;
      return true;
    });
  }
  const Reader<std::string_view> text(frame.column(0), frame.is_constant(0));
  ClockReader clock(frame, 1);
  return RunRows<int64_t>(frame, std::move(validity), result, [&](Row& row, int64_t& out) {
    TimeFormat::Parsed parsed;
    if (!clock.Read(row, text(row.index), parsed)) {
      out = std::numeric_limits<int64_t>::min();
    } else {
      out = parsed.has_offset ? parsed.seconds - parsed.offset_s : FloorDiv(zone.ToUtcMs(parsed.seconds * 1000), 1000);
    }
    return true;
  });
}

Result<ResolvedCall> BindUnixTimestamp(Args args) {
  if (args.empty()) return Bind("UNIX_TIMESTAMP", args, {}, BigIntType(), UnixTimestampKernel, Nulls::kNever);
  if (args.size() == 1) return Bind("UNIX_TIMESTAMP", args, {StringType()}, BigIntType(), UnixTimestampKernel);
  return Bind("UNIX_TIMESTAMP", args, {StringType(), StringType()}, BigIntType(), UnixTimestampKernel);
}

Result<arrow::Datum> ConvertTzKernel(EvalContext& context, std::span<const arrow::Datum> args, const DataType& result) {
  TM_ASSIGN_OR_RETURN(Frame frame, Frame::Make(context, args));
  TM_ASSIGN_OR_RETURN(Validity validity, frame.StrictValidity());
  const Reader<std::string_view> text(frame.column(0), frame.is_constant(0));
  const Reader<std::string_view> from(frame.column(1), frame.is_constant(1)), to(frame.column(2), frame.is_constant(2));
  TM_ASSIGN_OR_RETURN(const TimeFormat format, TimeFormat::Make(kDefaultPattern));
  std::string from_name = "UTC", to_name = "UTC";
  TM_ASSIGN_OR_RETURN(ZoneOffsets from_zone, ZoneOffsets::Make(from_name));
  TM_ASSIGN_OR_RETURN(ZoneOffsets to_zone, ZoneOffsets::Make(to_name));
  const auto change = [](Row& row, std::string_view name, std::string& current, ZoneOffsets& zone) {
    if (name == current) return true;
    Result<ZoneOffsets> made = ZoneOffsets::Make(std::string(name));
    if (!made.ok()) {
      row.Raise(kInvalidArgument, made.status().message());
      return false;
    }
    zone = *std::move(made);
    current = name;
    return true;
  };
  return RunRows<std::string>(frame, std::move(validity), result, [&](Row& row, std::string& out) {
    TimestampText parsed;
    if (!ParseTimestampText(text(row.index), TimeSyntax::kCast, parsed)) return false;
    if (!change(row, from(row.index), from_name, from_zone) || !change(row, to(row.index), to_name, to_zone))
      return false;
    format.Format(FloorDiv(to_zone.ToLocalMs(from_zone.ToUtcMs(parsed.seconds * 1000)), 1000), 0, out);
    return true;
  });
}

}  // namespace

std::vector<ScalarFunction> TimeTextFunctions() {
  return {
      {"DATE_FORMAT", "DATE_FORMAT(time TIMESTAMP, pattern STRING) -> STRING",
       "The time as text, by a pattern of Java's DateTimeFormatter.",
       "DATE_FORMAT(TIMESTAMP '2024-05-17 13:14:15.123', 'EEE d MMM yyyy, hh:mm a')", "Fri 17 May 2024, 01:14 PM",
       BindDateFormat},
      {"TO_TIMESTAMP", "TO_TIMESTAMP(text STRING [, pattern STRING]) -> TIMESTAMP(3)",
       "The time that the text says; NULL when it says none.", "TO_TIMESTAMP('17/05/2024 13:14', 'dd/MM/yyyy HH:mm')",
       "2024-05-17 13:14:00.000",
       [](Args args) { return BindFromText<ToTimestampKernel>("TO_TIMESTAMP", args, DataType::Timestamp(3)); }},
      {"TO_TIMESTAMP_LTZ",
       "TO_TIMESTAMP_LTZ(number [, precision INT]) or (text STRING [, pattern STRING [, zone STRING]]) -> "
       "TIMESTAMP_LTZ(3)",
       "The instant of a count since 1970, in seconds (precision 0), milliseconds (3, the default) or finer, or of a "
       "text.",
       "TO_TIMESTAMP_LTZ(1704164645123, 3)", "2024-01-02 03:04:05.123", BindToInstant},
      {"TO_DATE", "TO_DATE(text STRING [, pattern STRING]) -> DATE",
       "The date that the text says; NULL when it says none.", "TO_DATE('20240517', 'yyyyMMdd')", "2024-05-17",
       [](Args args) { return BindFromText<ToDateKernel>("TO_DATE", args, DateType()); }},
      {"FROM_UNIXTIME", "FROM_UNIXTIME(seconds BIGINT [, pattern STRING]) -> STRING",
       "Seconds since 1970 as text in the session's zone, 'yyyy-MM-dd HH:mm:ss' if no pattern is given.",
       "FROM_UNIXTIME(1704164645)", "2024-01-02 03:04:05", BindFromUnixtime},
      {"UNIX_TIMESTAMP", "UNIX_TIMESTAMP([text STRING [, pattern STRING]]) -> BIGINT",
       "Seconds since 1970: of the machine's clock, or of a text in the session's zone.",
       "UNIX_TIMESTAMP('2024-01-02 03:04:05')", "1704164645", BindUnixTimestamp, false},
      {"CONVERT_TZ", "CONVERT_TZ(text STRING, from_zone STRING, to_zone STRING) -> STRING",
       "A wall clock of one zone as that of another.",
       "CONVERT_TZ('2024-05-17 12:00:00', 'UTC', 'America/Los_Angeles')", "2024-05-17 05:00:00",
       [](Args args) {
         return Bind("CONVERT_TZ", args, {StringType(), StringType(), StringType()}, StringType(), ConvertTzKernel,
                     Nulls::kMaybe);
       }},
  };
}

}  // namespace tidemill
