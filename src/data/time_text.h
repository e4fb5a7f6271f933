#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"
#include "data/data_type.h"

namespace arrow {
class Array;
}
namespace cctz {
class time_zone;
}

namespace tidemill {

// Dates, times and timestamps as text: the one place where formats, CAST and literals agree. The proleptic Gregorian
// calendar, years 0000 to 9999, no leap seconds.

int64_t DaysFromCivil(int64_t year, int month, int day);
void CivilFromDays(int64_t days, int64_t& year, int& month, int& day);

enum class TimeSyntax : uint8_t {
  kAny,      // "2024-05-01 12:34[:56[.123456789]]", 'T' or one space between, an optional zone: Z, +02, +0200, +02:00
  kSql,      // the same with a space only
  kIso8601,  // the same with 'T' only
  kCast,     // kAny plus what CAST allows: blanks around, one-digit parts, the date or its first parts alone
};

struct TimestampText {
  int64_t seconds = 0;  // as written, zone not applied
  int32_t nanos = 0;
  bool has_zone = false;
  bool is_utc = false;       // 'Z' or offset 0
  int32_t zone_seconds = 0;  // east of Greenwich
};

bool ParseDateText(std::string_view text, TimeSyntax syntax, int32_t& days);
bool ParseTimeText(std::string_view text, TimeSyntax syntax, int32_t& millis);  // "12:34[:56[.123]]"
bool ParseTimestampText(std::string_view text, TimeSyntax syntax, TimestampText& out);

// The value in the unit that `precision` has in Arrow (ms, us, ns), further digits cut off; false when it doesn't fit
// (ns beyond 2262).
bool TimestampValue(int64_t seconds, int32_t nanos, int precision, int64_t& out);

// Text of a column's value for a TIMESTAMP (kTimestamp: a zone other than UTC is refused, since dropping it would
// change the instant) or a TIMESTAMP_LTZ column (without a zone the text is taken as UTC).
bool ParseTimestampValue(std::string_view text, TimeSyntax syntax, const DataType& type, int64_t& out);

// Text (STRING) to DATE, TIME, TIMESTAMP or TIMESTAMP_LTZ, TimeSyntax::kCast. Text without a zone means `zone` for
// TIMESTAMP_LTZ (null = UTC). Rows that don't parse become NULL and their numbers are appended to `bad`.
Result<std::shared_ptr<arrow::Array>> TextToTime(const arrow::Array& text, const DataType& to,
                                                 const cctz::time_zone* zone, std::vector<int32_t>* bad);
// The reverse, with exactly the type's fraction digits: "2024-05-01 12:34:56.120" for TIMESTAMP(3).
Result<std::shared_ptr<arrow::Array>> TimeToText(const arrow::Array& values, const DataType& from,
                                                 const cctz::time_zone* zone);

// A civil second and its zone rules: seconds since 1970 of that wall clock in `zone`. A wall clock that a jump skips is
// moved on by the jump; one that comes twice means its first time (Java's rule, so Flink's).
int64_t LocalToUtcSeconds(int64_t local_seconds, const cctz::time_zone& zone);
int64_t UtcToLocalSeconds(int64_t utc_seconds, const cctz::time_zone& zone);

void AppendDateText(int32_t days, std::string& out);
enum class FractionDigits : uint8_t { kAsPrecision, kMinimal };  // ".120" or ".12", nothing for 0
void AppendTimeText(int32_t millis, FractionDigits digits, std::string& out);
void AppendTimestampText(int64_t value, int precision, char separator, FractionDigits digits, std::string& out);

}  // namespace tidemill
