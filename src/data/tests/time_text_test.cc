#include "data/time_text.h"

#include <arrow/api.h>
#include <cctz/time_zone.h>
#include <gtest/gtest.h>

#include "base/random.h"
#include "data/tests/arrays.h"

namespace tidemill {
namespace {

std::string Format(int64_t value, int precision, FractionDigits digits = FractionDigits::kAsPrecision) {
  std::string out;
  AppendTimestampText(value, precision, ' ', digits, out);
  return out;
}

TEST(TimeText, CalendarAgreesWithCctz) {
  Random random(5);
  for (int i = 0; i < 20000; ++i) {
    const int64_t days = static_cast<int64_t>(random.Uniform(3'652'059)) - 719'528;
    const cctz::civil_day expected = cctz::civil_day() + days;
    int64_t year = 0;
    int month = 0;
    int day = 0;
    CivilFromDays(days, year, month, day);
    ASSERT_EQ(cctz::civil_day(year, month, day), expected);
    ASSERT_EQ(DaysFromCivil(year, month, day), days);
  }
}

TEST(TimeText, ParsesTimestamps) {
  const DataType type = DataType::Timestamp(3);
  int64_t value = 0;
  const auto parse = [&](std::string_view text, TimeSyntax syntax = TimeSyntax::kAny) {
    return ParseTimestampValue(text, syntax, type, value);
  };
  ASSERT_TRUE(parse("2024-05-01 12:34:56.789"));
  EXPECT_EQ(value, 1714566896789);
  ASSERT_TRUE(parse("2024-05-01T12:34:56Z"));
  EXPECT_EQ(value, 1714566896000);
  ASSERT_TRUE(parse("2024-05-01 12:34"));
  EXPECT_EQ(value, 1714566840000);
  ASSERT_TRUE(parse("1969-12-31 23:59:59.999999999"));
  EXPECT_EQ(value, -1);
  ASSERT_TRUE(parse("9999-12-31 23:59:59.999"));
  EXPECT_EQ(value, 253402300799999);
  EXPECT_TRUE(parse("2024-02-29 00:00:00"));
  for (const char* bad :
       {"2023-02-29 00:00:00", "2024-13-01 00:00:00", "2024-05-01", "2024-05-01 24:00:00", "2024-05-01 12:60:00",
        "2024-05-01 12:34:56.", "2024-05-01 12:34:56.1234567890", "2024-05-01  12:34:56", "2024-05-01 12:34:56x",
        "2024-05-01 12:34:56+02:00", "2024-5-1 12:34:56", "", "12024-05-01 12:34:56", "2024-05-01 12:34:5"}) {
    EXPECT_FALSE(parse(bad)) << bad;
  }
  EXPECT_FALSE(parse("2024-05-01T12:34:56", TimeSyntax::kSql));
  EXPECT_FALSE(parse("2024-05-01 12:34:56", TimeSyntax::kIso8601));
}

TEST(TimeText, ZonesBelongToInstants) {
  int64_t value = 0;
  const DataType ltz = DataType::TimestampLtz(6);
  ASSERT_TRUE(ParseTimestampValue("2024-05-01T12:34:56.5+02:00", TimeSyntax::kAny, ltz, value));
  EXPECT_EQ(value, 1714559696500000);
  ASSERT_TRUE(ParseTimestampValue("2024-05-01T12:34:56-0530", TimeSyntax::kAny, ltz, value));
  EXPECT_EQ(value, 1714586696000000);
  ASSERT_TRUE(ParseTimestampValue("2024-05-01 12:34:56", TimeSyntax::kAny, ltz, value));
  EXPECT_EQ(value, 1714566896000000);
  EXPECT_FALSE(ParseTimestampValue("2024-05-01 12:34:56+1", TimeSyntax::kAny, ltz, value));
  EXPECT_FALSE(ParseTimestampValue("2400-01-01 00:00:00", TimeSyntax::kAny, DataType::Timestamp(9), value));
}

TEST(TimeText, CastIsLenient) {
  std::vector<int32_t> bad;
  auto text =
      ArrayOf(arrow::utf8(), R"([" 2024-5-1 ", "2024", "2024-05-01 1:2:3.5", "x", null, "2024-05-01T00:00:00Z", ""])");
  auto times = TextToTime(*text, DataType::Timestamp(3), nullptr, &bad);
  ASSERT_TRUE(times.ok());
  EXPECT_EQ(bad, (std::vector<int32_t>{3, 6}));
  auto back = TimeToText(**times, DataType::Timestamp(3), nullptr);
  EXPECT_EQ(TextOf(**back),
            R"(["2024-05-01 00:00:00.000", "2024-01-01 00:00:00.000", "2024-05-01 01:02:03.500", null, null, )"
            R"("2024-05-01 00:00:00.000", null])");
  auto dates = TextToTime(*ArrayOf(arrow::utf8(), R"(["2024-05-01 10:00:00", "2024-2-3", "2024-02-30"])"),
                          DataType(TypeKind::kDate), nullptr, &bad);
  EXPECT_EQ(TextOf(**TimeToText(**dates, DataType(TypeKind::kDate), nullptr)), R"(["2024-05-01", "2024-02-03", null])");
}

TEST(TimeText, LocalTimeFollowsTheZone) {
  cctz::time_zone berlin;
  ASSERT_TRUE(cctz::load_time_zone("Europe/Berlin", &berlin));
  auto text =
      ArrayOf(arrow::utf8(),
              R"(["2024-07-01 12:00:00", "2024-03-31 02:30:00", "2024-10-27 02:30:00", "2024-07-01 12:00:00Z"])");
  auto times = TextToTime(*text, DataType::TimestampLtz(3), &berlin, nullptr);
  ASSERT_TRUE(times.ok());
  // The skipped half past two becomes half past three; the doubled one is summer time's.
  EXPECT_EQ(
      TextOf(**TimeToText(**times, DataType::TimestampLtz(3), nullptr)),
      R"(["2024-07-01 10:00:00.000", "2024-03-31 01:30:00.000", "2024-10-27 00:30:00.000", "2024-07-01 12:00:00.000"])");
  EXPECT_EQ(
      TextOf(**TimeToText(**times, DataType::TimestampLtz(3), &berlin)),
      R"(["2024-07-01 12:00:00.000", "2024-03-31 03:30:00.000", "2024-10-27 02:30:00.000", "2024-07-01 14:00:00.000"])");
}

TEST(TimeText, FormatsFractions) {
  EXPECT_EQ(Format(1714566896120, 3), "2024-05-01 12:34:56.120");
  EXPECT_EQ(Format(1714566896120, 3, FractionDigits::kMinimal), "2024-05-01 12:34:56.12");
  EXPECT_EQ(Format(1714566896000, 3, FractionDigits::kMinimal), "2024-05-01 12:34:56");
  EXPECT_EQ(Format(1714566896000, 0), "2024-05-01 12:34:56");
  EXPECT_EQ(Format(-1, 9), "1969-12-31 23:59:59.999999999");
}

TEST(TimeText, RoundTripsAnyInstant) {
  Random random(11);
  for (int i = 0; i < 20000; ++i) {
    const int64_t value = static_cast<int64_t>(random.Uniform(315'537'897'600'000)) - 62'167'219'200'000;
    int64_t back = 0;
    ASSERT_TRUE(ParseTimestampValue(Format(value, 3, FractionDigits::kMinimal), TimeSyntax::kAny,
                                    DataType::Timestamp(3), back));
    ASSERT_EQ(back, value);
  }
}

}  // namespace
}  // namespace tidemill
