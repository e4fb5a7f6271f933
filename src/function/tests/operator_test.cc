#include <arrow/api.h>
#include <gtest/gtest.h>

#include "function/tests/sql_text.h"

namespace tidemill {
namespace {

struct OperatorCase {
  const char* sql;
  const char* expected;
};

class Operators : public ::testing::TestWithParam<OperatorCase> {};

TEST_P(Operators, AsConstantsAndAsColumns) {
  EXPECT_EQ(EvaluateOne(GetParam().sql), GetParam().expected);
  TextOptions options;
  options.rows = 100;
  options.literals_as_columns = true;
  EXPECT_EQ(EvaluateOne(GetParam().sql, options), GetParam().expected) << "over columns";
}

INSTANTIATE_TEST_SUITE_P(
    Arithmetic, Operators,
    ::testing::Values(
        OperatorCase{"1 + 2", "3"}, OperatorCase{"2147483647 + 1", "-2147483648"},
        OperatorCase{"CAST(127 AS TINYINT) + CAST(1 AS TINYINT)", "-128"},
        OperatorCase{"9223372036854775807 + 1", "-9223372036854775808"}, OperatorCase{"1 + NULL", "NULL"},
        OperatorCase{"1 + 2.5", "3.5"}, OperatorCase{"1e0 + 2", "3.0"}, OperatorCase{"CAST(1 AS FLOAT) + 2", "3.0"},
        OperatorCase{"7 / 2", "3"}, OperatorCase{"-7 / 2", "-3"},
        OperatorCase{"7 / 0", "error TM1403: integer division by zero"},
        OperatorCase{"7 % 0", "error TM1403: integer division by zero"}, OperatorCase{"7e0 / 0", "Infinity"},
        OperatorCase{"0e0 / 0", "NaN"}, OperatorCase{"-7 % 3", "-1"}, OperatorCase{"7 % -3", "1"},
        OperatorCase{"5.5 % 2", "1.5"}, OperatorCase{"(-9223372036854775807 - 1) / -1", "-9223372036854775808"},
        OperatorCase{"(-9223372036854775807 - 1) % -1", "0"}, OperatorCase{"1.1 + 2.22", "3.32"},
        OperatorCase{"1.1 * 2.22", "2.442"}, OperatorCase{"1.00 / 3", "0.3333333333333"},
        OperatorCase{"1.0 / 0.0", "error TM1403: DECIMAL division by zero"},
        OperatorCase{"-2.5 / 1.0 * 3", "-7.500000"},
        OperatorCase{"CAST('99999999999999999999999999999999999999' AS DECIMAL(38, 0)) + 1", "NULL"},
        OperatorCase{"CAST('99999999999999999999999999999999999998' AS DECIMAL(38, 0)) + 1",
                     "99999999999999999999999999999999999999"},
        OperatorCase{
            "CAST('12345678901234567890.123456789' AS DECIMAL(38, 9)) * CAST('10000000.00001' AS DECIMAL(38, 5))",
            "123456789012469135690246913.568901"},
        OperatorCase{"CAST('1' AS DECIMAL(38, 18)) / CAST('3' AS DECIMAL(38, 18))", "0.333333"},
        OperatorCase{"-(5)", "-5"}, OperatorCase{"-(-2147483648)", "2147483648"}, OperatorCase{"- 1.50", "-1.50"},
        OperatorCase{"-(CAST(NULL AS INT))", "NULL"},
        OperatorCase{"INTERVAL '1' DAY * 2 + INTERVAL '1' HOUR", "+2 01:00:00.000"}));

INSTANTIATE_TEST_SUITE_P(
    Times, Operators,
    ::testing::Values(
        OperatorCase{"TIMESTAMP '2024-01-31 10:00:00' + INTERVAL '1' MONTH", "2024-02-29 10:00:00"},
        OperatorCase{"TIMESTAMP '2024-03-31 10:00:00' - INTERVAL '1' MONTH", "2024-02-29 10:00:00"},
        OperatorCase{"INTERVAL '1' DAY + TIMESTAMP '2024-02-28 10:00:00'", "2024-02-29 10:00:00"},
        OperatorCase{"TIMESTAMP '1969-12-31 23:59:59.5' + INTERVAL '0.5' SECOND", "1970-01-01 00:00:00.0"},
        OperatorCase{"DATE '2024-02-28' + INTERVAL '1' DAY", "2024-02-29"},
        OperatorCase{"DATE '2024-02-28' + INTERVAL '1' HOUR", "2024-02-28 01:00:00.000"},
        OperatorCase{"TIME '23:30:00' + INTERVAL '1' HOUR", "00:30:00"},
        OperatorCase{"TIMESTAMP '2024-01-02 00:00:00' - TIMESTAMP '2024-01-01 12:00:00'", "+0 12:00:00.000"},
        OperatorCase{"CAST('2024-01-01 00:00:00.123456' AS TIMESTAMP(6)) + INTERVAL '1' SECOND",
                     "2024-01-01 00:00:01.123456"},
        OperatorCase{"TIMESTAMP '2024-01-01 00:00:00' + 1",
                     "refused: TM1401: + takes a time and an INTERVAL, given (TIMESTAMP(0), INT)"}));

INSTANTIATE_TEST_SUITE_P(
    Comparisons, Operators,
    ::testing::Values(
        OperatorCase{"1 = 1.0", "TRUE"}, OperatorCase{"1 = NULL", "NULL"}, OperatorCase{"1 <> 2", "TRUE"},
        OperatorCase{"'a' < 'b'", "TRUE"}, OperatorCase{"'B' < 'a'", "TRUE"}, OperatorCase{"'é' > 'z'", "TRUE"},
        OperatorCase{"1.50 = 1.5", "TRUE"}, OperatorCase{"1.5 < 1.4999", "FALSE"},
        OperatorCase{"0e0 / 0 = 0e0 / 0", "FALSE"}, OperatorCase{"TRUE > FALSE", "TRUE"},
        OperatorCase{"x'01ff' = x'01ff'", "TRUE"},
        OperatorCase{"DATE '2024-01-01' < TIMESTAMP '2024-01-01 00:00:01'", "TRUE"},
        OperatorCase{"TIMESTAMP '2024-01-01 00:00:00.5' >= '2024-01-01 00:00:00.500'", "TRUE"},
        OperatorCase{"1 IS DISTINCT FROM NULL", "TRUE"}, OperatorCase{"NULL IS DISTINCT FROM NULL", "FALSE"},
        OperatorCase{"NULL IS NOT DISTINCT FROM NULL", "TRUE"}, OperatorCase{"1 IS NOT DISTINCT FROM 1", "TRUE"},
        OperatorCase{"NULL IS NULL", "TRUE"}, OperatorCase{"1 IS NOT NULL", "TRUE"},
        OperatorCase{"(1 = NULL) IS TRUE", "FALSE"}, OperatorCase{"(1 = NULL) IS NOT FALSE", "TRUE"},
        OperatorCase{"NOT NULL", "NULL"}, OperatorCase{"NOT TRUE", "FALSE"},
        OperatorCase{"1 = 'a'", "refused: TM1401: = takes two values of comparable types, given (INT, STRING)"}));

INSTANTIATE_TEST_SUITE_P(
    Casts, Operators,
    ::testing::Values(
        OperatorCase{"CAST('12' AS INT)", "12"}, OperatorCase{"CAST(' -12.9 ' AS INT)", "-12"},
        OperatorCase{"CAST('abc' AS INT)", "error TM1402: 'abc' is no INT"},
        OperatorCase{"TRY_CAST('abc' AS INT)", "NULL"},
        OperatorCase{"CAST('128' AS TINYINT)", "error TM1402: '128' is no TINYINT"},
        OperatorCase{"CAST('' AS BIGINT)", "error TM1402: '' is no BIGINT"},
        OperatorCase{"CAST('9223372036854775808' AS BIGINT)", "error TM1402: '9223372036854775808' is no BIGINT"},
        OperatorCase{"CAST(300 AS TINYINT)", "44"}, OperatorCase{"CAST(1e20 AS INT)", "2147483647"},
        OperatorCase{"CAST(-1.9 AS INT)", "-1"}, OperatorCase{"CAST(0e0 / 0 AS BIGINT)", "0"},
        OperatorCase{"CAST(1.255 AS DECIMAL(10, 2))", "1.26"}, OperatorCase{"CAST(-1.255 AS DECIMAL(10, 2))", "-1.26"},
        OperatorCase{"CAST(1000 AS DECIMAL(3, 0))", "NULL"}, OperatorCase{"CAST('1e3' AS DECIMAL(10, 1))", "1000.0"},
        OperatorCase{"CAST('0.05' AS DECIMAL(3, 1))", "0.1"}, OperatorCase{"CAST('9.95' AS DECIMAL(2, 1))", "NULL"},
        OperatorCase{"CAST('1..2' AS DECIMAL(5, 1))", "error TM1402: '1..2' is no DECIMAL(5, 1)"},
        OperatorCase{"CAST(0.1e0 AS DECIMAL(20, 18))", "0.100000000000000000"},
        OperatorCase{"CAST('Infinity' AS DOUBLE)", "Infinity"}, OperatorCase{"CAST(' 1.5d ' AS DOUBLE)", "1.5"},
        OperatorCase{"CAST('1e400' AS DOUBLE)", "Infinity"}, OperatorCase{"CAST('1e-400' AS DOUBLE)", "0.0"},
        OperatorCase{"CAST('x' AS DOUBLE)", "error TM1402: 'x' is no DOUBLE"},
        OperatorCase{"CAST('Yes' AS BOOLEAN)", "TRUE"}, OperatorCase{"CAST(0 AS BOOLEAN)", "FALSE"},
        OperatorCase{"CAST(TRUE AS INT)", "1"},
        OperatorCase{"CAST('maybe' AS BOOLEAN)", "error TM1402: 'maybe' is no BOOLEAN"},
        OperatorCase{"CAST(1e7 AS STRING)", "1.0E7"}, OperatorCase{"CAST(1234567.5e0 AS STRING)", "1234567.5"},
        OperatorCase{"CAST(1.0e-3 AS STRING)", "0.001"}, OperatorCase{"CAST(1.0e-4 AS STRING)", "1.0E-4"},
        OperatorCase{"CAST(-0e0 AS STRING)", "-0.0"}, OperatorCase{"CAST(CAST(0.1 AS FLOAT) AS STRING)", "0.1"},
        OperatorCase{"CAST(TRUE AS STRING)", "TRUE"},
        OperatorCase{"CAST('2024-02-30' AS DATE)", "error TM1402: '2024-02-30' is no DATE"},
        OperatorCase{"CAST('2024-2-9' AS DATE)", "2024-02-09"},
        OperatorCase{"CAST('2024-02-09 10:11' AS TIMESTAMP(3))", "2024-02-09 10:11:00.000"},
        OperatorCase{"CAST(TIMESTAMP '2024-02-09 10:11:12.987' AS TIMESTAMP(0))", "2024-02-09 10:11:12"},
        OperatorCase{"CAST(TIMESTAMP '1969-12-31 23:59:59.1' AS DATE)", "1969-12-31"},
        OperatorCase{"CAST(TIMESTAMP '2024-02-09 10:11:12' AS TIME)", "10:11:12"},
        OperatorCase{"CAST(DATE '2024-02-09' AS TIMESTAMP(3))", "2024-02-09 00:00:00.000"},
        OperatorCase{"CAST('abc' AS BYTES)", "abc"},
        OperatorCase{"CAST(x'ff61' AS STRING)",
                     "\xef\xbf\xbd"
                     "a"},
        OperatorCase{"CAST(NULL AS DATE)", "NULL"},
        OperatorCase{"CAST(1 AS DATE)", "refused: TM1401: no CAST from INT to DATE"},
        OperatorCase{"CAST('9999-12-31 23:59:59' AS TIMESTAMP(9))",
                     "error TM1402: '9999-12-31 23:59:59' is no TIMESTAMP(9)"}));

TEST(OperatorRows, ErrorsConcernSingleRowsThatAreActive) {
  auto a = std::make_shared<arrow::Int32Array>(4, arrow::Buffer::FromVector(std::vector<int32_t>{6, 7, 8, 9}));
  auto b = std::make_shared<arrow::Int32Array>(4, arrow::Buffer::FromVector(std::vector<int32_t>{2, 0, 0, 3}));
  const std::vector<uint8_t> active = {1, 0, 1, 1};
  TextOptions options;
  options.rows = 4;
  options.active = active.data();
  options.columns = {{"a", {a, DataType(TypeKind::kInt)}}, {"b", {b, DataType(TypeKind::kInt)}}};
  const auto out = EvaluateText("a / b", options);
  ASSERT_TRUE(out.ok()) << out.status().ToString();
  ASSERT_EQ(out->errors.size(), 1u);
  EXPECT_EQ(out->errors[0].row, 2);
  EXPECT_TRUE(out->errors[0].code->number == 1403);
  const auto strings = *EvaluateToStrings("a / b", options);
  EXPECT_EQ(strings[0], "3");
  EXPECT_EQ(strings[3], "3");
  // A constant error concerns every active row.
  EXPECT_EQ(EvaluateText("1 / 0", options)->errors.size(), 3u);
}

TEST(OperatorRows, NullsAndOffsets) {
  arrow::Int64Builder builder;
  for (int i = 0; i < 200; ++i) ASSERT_TRUE((i % 3 == 0 ? builder.AppendNull() : builder.Append(i)).ok());
  const auto array = *builder.Finish();
  TextOptions options;
  options.rows = 130;
  options.columns = {{"a", {array->Slice(7, 130), DataType(TypeKind::kBigInt)}},
                     {"b", {array->Slice(21, 130), DataType(TypeKind::kBigInt)}}};
  const auto sum = *EvaluateToStrings("a + b", options);
  const auto less = *EvaluateToStrings("a < b", options);
  const auto isnull = *EvaluateToStrings("a IS NULL", options);
  const auto distinct = *EvaluateToStrings("a IS DISTINCT FROM b", options);
  for (int i = 0; i < 130; ++i) {
    const bool a_null = (i + 7) % 3 == 0, b_null = (i + 21) % 3 == 0;
    const size_t row = static_cast<size_t>(i);
    EXPECT_EQ(sum[row], a_null || b_null ? "NULL" : std::to_string(2 * i + 28)) << i;
    EXPECT_EQ(less[row], a_null || b_null ? "NULL" : "TRUE") << i;
    EXPECT_EQ(isnull[row], a_null ? "TRUE" : "FALSE") << i;
    EXPECT_EQ(distinct[row], a_null && b_null ? "FALSE" : "TRUE") << i;
  }
}

TEST(OperatorRows, SessionZoneAppliesToInstants) {
  TextOptions options;
  options.time_zone = "Europe/Berlin";
  EXPECT_EQ(EvaluateOne("CAST(CAST('2024-07-01 12:00:00' AS TIMESTAMP_LTZ(3)) AS TIMESTAMP(3))", options),
            "2024-07-01 12:00:00.000");
  EXPECT_EQ(EvaluateOne("CAST('2024-07-01 12:00:00Z' AS TIMESTAMP_LTZ(3))", options), "2024-07-01 14:00:00.000");
  EXPECT_EQ(EvaluateOne("CAST('2024-01-01 12:00:00Z' AS TIMESTAMP_LTZ(3))", options), "2024-01-01 13:00:00.000");
  // A clock that a jump skips moves on by the jump.
  EXPECT_EQ(EvaluateOne("CAST('2024-03-31 02:30:00' AS TIMESTAMP_LTZ(3))", options), "2024-03-31 03:30:00.000");
  EXPECT_EQ(EvaluateOne("CAST(TIMESTAMP '2024-03-31 02:30:00' AS TIMESTAMP_LTZ(3))", options),
            "2024-03-31 03:30:00.000");
  EXPECT_EQ(EvaluateOne("CAST(DATE '2024-07-01' AS TIMESTAMP_LTZ(3)) + INTERVAL '6' MONTH", options),
            "2025-01-01 00:00:00.000");
}

}  // namespace
}  // namespace tidemill
