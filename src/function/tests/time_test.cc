#include <gtest/gtest.h>

#include "function/tests/sql_text.h"

namespace tidemill {
namespace {

struct TimeCase {
  const char* sql;
  const char* expected;
};

class TimeFunctions : public ::testing::TestWithParam<TimeCase> {};

TEST_P(TimeFunctions, AsConstantsAndAsColumns) {
  EXPECT_EQ(EvaluateOne(GetParam().sql), GetParam().expected) << GetParam().sql;
  TextOptions options;
  options.rows = 70;
  options.literals_as_columns = true;
  EXPECT_EQ(EvaluateOne(GetParam().sql, options), GetParam().expected) << "over columns: " << GetParam().sql;
}

#define TS "TIMESTAMP '2024-02-29 23:58:57.123'"
INSTANTIATE_TEST_SUITE_P(
    Fields, TimeFunctions,
    ::testing::Values(
        TimeCase{"EXTRACT(YEAR FROM " TS ")", "2024"}, TimeCase{"EXTRACT(QUARTER FROM " TS ")", "1"},
        TimeCase{"EXTRACT(MONTH FROM " TS ")", "2"}, TimeCase{"EXTRACT(WEEK FROM " TS ")", "9"},
        TimeCase{"EXTRACT(DAY FROM " TS ")", "29"}, TimeCase{"EXTRACT(DOY FROM " TS ")", "60"},
        TimeCase{"EXTRACT(DOW FROM " TS ")", "5"}, TimeCase{"EXTRACT(ISODOW FROM " TS ")", "4"},
        TimeCase{"EXTRACT(HOUR FROM " TS ")", "23"}, TimeCase{"EXTRACT(MINUTE FROM " TS ")", "58"},
        TimeCase{"EXTRACT(SECOND FROM " TS ")", "57"}, TimeCase{"EXTRACT(MILLISECOND FROM " TS ")", "123"},
        TimeCase{"EXTRACT(EPOCH FROM " TS ")", "1709251137"}, TimeCase{"EXTRACT(CENTURY FROM DATE '2000-12-31')", "20"},
        TimeCase{"EXTRACT(DECADE FROM DATE '1999-12-31')", "199"},
        TimeCase{"EXTRACT(ISOYEAR FROM DATE '2021-01-03')", "2020"},
        TimeCase{"EXTRACT(NANOSECOND FROM CAST('2024-01-01 00:00:00.123456789' AS TIMESTAMP(9)))", "123456789"},
        TimeCase{"EXTRACT(YEAR FROM TIMESTAMP '1969-12-31 23:59:59')", "1969"},
        TimeCase{"EXTRACT(SECOND FROM TIMESTAMP '1969-12-31 23:59:59')", "59"},
        TimeCase{"EXTRACT(HOUR FROM TIME '13:00:00')", "13"}, TimeCase{"EXTRACT(YEAR FROM CAST(NULL AS DATE))", "NULL"},
        TimeCase{"EXTRACT(HOUR FROM INTERVAL '1' DAY + INTERVAL '90' MINUTE)", "1"},
        TimeCase{"EXTRACT(MONTH FROM INTERVAL '14' MONTH)", "2"},
        TimeCase{"EXTRACT(YEAR FROM TIME '13:00:00')",
                 "refused: TM1401: EXTRACT takes a DATE or TIMESTAMP for this unit, given (STRING, TIME)"},
        TimeCase{"EXTRACT(FORTNIGHT FROM DATE '2024-01-01')", "refused: TM1401: EXTRACT: no time unit 'FORTNIGHT'"},
        TimeCase{"DAYOFWEEK(DATE '2024-02-25')", "1"}, TimeCase{"DAYOFWEEK(DATE '2024-03-02')", "7"},
        TimeCase{"WEEK(DATE '2020-12-31')", "53"}, TimeCase{"WEEK(DATE '2018-12-31')", "1"}));

INSTANTIATE_TEST_SUITE_P(
    Rounding, TimeFunctions,
    ::testing::Values(TimeCase{"FLOOR(" TS " TO YEAR)", "2024-01-01 00:00:00.000"},
                      TimeCase{"FLOOR(" TS " TO QUARTER)", "2024-01-01 00:00:00.000"},
                      TimeCase{"FLOOR(" TS " TO MONTH)", "2024-02-01 00:00:00.000"},
                      TimeCase{"FLOOR(" TS " TO WEEK)", "2024-02-25 00:00:00.000"},
                      TimeCase{"FLOOR(" TS " TO DAY)", "2024-02-29 00:00:00.000"},
                      TimeCase{"FLOOR(" TS " TO HOUR)", "2024-02-29 23:00:00.000"},
                      TimeCase{"FLOOR(" TS " TO SECOND)", "2024-02-29 23:58:57.000"},
                      TimeCase{"CEIL(" TS " TO DAY)", "2024-03-01 00:00:00.000"},
                      TimeCase{"CEIL(" TS " TO MONTH)", "2024-03-01 00:00:00.000"},
                      TimeCase{"CEIL(DATE '2024-02-01' TO MONTH)", "2024-02-01"},
                      TimeCase{"CEIL(DATE '2024-02-02' TO YEAR)", "2025-01-01"},
                      TimeCase{"FLOOR(TIME '12:34:56' TO MINUTE)", "12:34:00"},
                      TimeCase{"FLOOR(TIMESTAMP '1969-12-31 23:30:00' TO HOUR)", "1969-12-31 23:00:00"},
                      TimeCase{"CEIL(CAST('2024-01-01 00:00:00.000001' AS TIMESTAMP(6)) TO SECOND)",
                               "2024-01-01 00:00:01.000000"}));

INSTANTIATE_TEST_SUITE_P(
    Shifts, TimeFunctions,
    ::testing::Values(
        TimeCase{"TIMESTAMPADD(MONTH, -1, TIMESTAMP '2024-03-31 10:00:00')", "2024-02-29 10:00:00"},
        TimeCase{"TIMESTAMPADD(WEEK, 1, DATE '2024-02-28')", "2024-03-06"},
        TimeCase{"TIMESTAMPADD(HOUR, 25, DATE '2024-02-28')", "2024-02-29 01:00:00.000"},
        TimeCase{"TIMESTAMPADD(YEAR, 1, DATE '2024-02-29')", "2025-02-28"},
        TimeCase{"TIMESTAMPADD(MINUTE, 90, TIME '23:00:00')", "00:30:00"},
        TimeCase{"TIMESTAMPADD(SECOND, NULL, DATE '2024-02-29')", "NULL"},
        TimeCase{"TIMESTAMPDIFF(SECOND, TIMESTAMP '2024-01-01 00:00:00', TIMESTAMP '2024-01-01 00:00:01.999')", "1"},
        TimeCase{"TIMESTAMPDIFF(SECOND, TIMESTAMP '2024-01-01 00:00:01.999', TIMESTAMP '2024-01-01 00:00:00')", "-1"},
        TimeCase{"TIMESTAMPDIFF(DAY, TIMESTAMP '2024-01-01 12:00:00', TIMESTAMP '2024-01-03 11:59:59')", "1"},
        TimeCase{"TIMESTAMPDIFF(MONTH, DATE '2024-01-31', DATE '2024-02-29')", "1"},
        TimeCase{"TIMESTAMPDIFF(MONTH, DATE '2024-01-31', DATE '2024-02-28')", "0"},
        TimeCase{"TIMESTAMPDIFF(MONTH, TIMESTAMP '2024-01-15 12:00:00', TIMESTAMP '2024-02-15 11:59:59')", "0"},
        TimeCase{"TIMESTAMPDIFF(MONTH, DATE '2024-03-15', DATE '2024-01-16')", "-1"},
        TimeCase{"TIMESTAMPDIFF(YEAR, DATE '2020-02-29', DATE '2024-02-28')", "3"},
        TimeCase{"TIMESTAMPDIFF(QUARTER, DATE '2020-01-01', DATE '2021-01-01')", "4"},
        TimeCase{"TIMESTAMPDIFF(SECOND, DATE '1900-01-01', DATE '2024-02-28')",
                 "error TM1404: TIMESTAMPDIFF does not fit INT; take a larger unit"}));

INSTANTIATE_TEST_SUITE_P(
    Text, TimeFunctions,
    ::testing::Values(
        TimeCase{"DATE_FORMAT(" TS ", 'yyyy-MM-dd''T''HH:mm:ss.SSS')", "2024-02-29T23:58:57.123"},
        TimeCase{"DATE_FORMAT(" TS ", 'yy.M.d H')", "24.2.29 23"},
        TimeCase{"DATE_FORMAT(" TS ", 'MMMM EEEE D Q')", "February Thursday 60 1"},
        TimeCase{"DATE_FORMAT(" TS ", 'SS')", "12"}, TimeCase{"DATE_FORMAT('2024-02-29 01:02:03', 'HHmmss')", "010203"},
        TimeCase{"DATE_FORMAT(" TS ", 'yyyy-ww')", "error TM1405: time pattern 'yyyy-ww': letter 'w' is not known"},
        TimeCase{"TO_TIMESTAMP('2024-02-29 01:02:03.4567')", "2024-02-29 01:02:03.456"},
        TimeCase{"TO_TIMESTAMP('nonsense')", "NULL"},
        TimeCase{"TO_TIMESTAMP('29.2.2024', 'd.M.yyyy')", "2024-02-29 00:00:00.000"},
        TimeCase{"TO_TIMESTAMP('20240229010203', 'yyyyMMddHHmmss')", "2024-02-29 01:02:03.000"},
        TimeCase{"TO_TIMESTAMP('30.2.2024', 'd.M.yyyy')", "NULL"},
        TimeCase{"TO_TIMESTAMP('Feb 29 2024 01 PM', 'MMM dd yyyy hh a')", "2024-02-29 13:00:00.000"},
        TimeCase{"TO_TIMESTAMP('2024-02-29x', 'yyyy-MM-dd')", "NULL"}, TimeCase{"TO_DATE('2024-02-29')", "2024-02-29"},
        TimeCase{"TO_DATE('x')", "NULL"}, TimeCase{"TO_TIMESTAMP_LTZ(-1, 0)", "1969-12-31 23:59:59.000"},
        TimeCase{"TO_TIMESTAMP_LTZ(1500000000123456, 6)", "2017-07-14 02:40:00.123"},
        TimeCase{"TO_TIMESTAMP_LTZ(1.5, 0)", "1970-01-01 00:00:01.500"},
        TimeCase{"TO_TIMESTAMP_LTZ('2024-02-29 12:00:00+02:00', 'yyyy-MM-dd HH:mm:ssXXX')", "2024-02-29 10:00:00.000"},
        TimeCase{"TO_TIMESTAMP_LTZ('2024-07-01 12:00:00', 'yyyy-MM-dd HH:mm:ss', 'Europe/Berlin')",
                 "2024-07-01 10:00:00.000"},
        TimeCase{"FROM_UNIXTIME(0, 'yyyy')", "1970"}, TimeCase{"UNIX_TIMESTAMP('x')", "-9223372036854775808"},
        TimeCase{"CONVERT_TZ('2024-02-29 12:00:00', 'Europe/Berlin', 'UTC')", "2024-02-29 11:00:00"},
        TimeCase{"CONVERT_TZ('2024-02-29 12:00:00', 'Nowhere', 'UTC')", "error TM1405: no such time zone: 'Nowhere'"}));

TEST(TimeZones, FieldsAndFloorsOfInstantsAreLocal) {
  TextOptions options;
  options.time_zone = "Europe/Berlin";
  EXPECT_EQ(EvaluateOne("EXTRACT(HOUR FROM CAST('2024-07-01 22:30:00Z' AS TIMESTAMP_LTZ(3)))", options), "0");
  EXPECT_EQ(EvaluateOne("FLOOR(CAST('2024-07-01 22:30:00Z' AS TIMESTAMP_LTZ(3)) TO DAY)", options),
            "2024-07-02 00:00:00.000");
  EXPECT_EQ(EvaluateOne("TIMESTAMPADD(DAY, 1, CAST('2024-03-30 12:00:00' AS TIMESTAMP_LTZ(3)))", options),
            "2024-03-31 13:00:00.000");
  EXPECT_EQ(EvaluateOne("FROM_UNIXTIME(0)", options), "1970-01-01 01:00:00");
  options.now_us = 1'720'000'000'123'456;
  EXPECT_EQ(EvaluateOne("LOCALTIMESTAMP", options), "2024-07-03 11:46:40.123");
  EXPECT_EQ(EvaluateOne("UNIX_TIMESTAMP()", options), "1720000000");
}

TEST(TimeZones, OffsetsHoldAcrossManyTransitions) {
  // Every 7 hours over three years, out of order: the kept range must never answer for another.
  TextOptions options;
  options.time_zone = "America/New_York";
  for (int64_t k = 0; k < 3000; k += 97) {
    const std::string seconds = std::to_string(1'577'836'800 + (k * 7919 % 3000) * 7 * 3600);
    const std::string local = EvaluateOne("FROM_UNIXTIME(" + seconds + ")", options);
    EXPECT_EQ(EvaluateOne("CONVERT_TZ(CAST(TO_TIMESTAMP_LTZ(" + seconds +
                              ", 0) AS STRING), 'America/New_York', 'America/New_York')",
                          options),
              local);
  }
}

}  // namespace
}  // namespace tidemill
