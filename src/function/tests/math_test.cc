#include <gtest/gtest.h>

#include "function/tests/sql_text.h"

namespace tidemill {
namespace {

struct Case {
  const char* sql;
  const char* expected;
};

class MathFunctions : public ::testing::TestWithParam<Case> {};

TEST_P(MathFunctions, AsConstantsAndAsColumns) {
  EXPECT_EQ(EvaluateOne(GetParam().sql), GetParam().expected) << GetParam().sql;
  TextOptions options;
  options.rows = 70;
  options.literals_as_columns = true;
  EXPECT_EQ(EvaluateOne(GetParam().sql, options), GetParam().expected) << "over columns: " << GetParam().sql;
}

INSTANTIATE_TEST_SUITE_P(
    Rounding, MathFunctions,
    ::testing::Values(Case{"ROUND(2.5e0)", "3.0"}, Case{"ROUND(-2.5e0)", "-3.0"}, Case{"ROUND(1.005e0, 2)", "1.01"},
                      Case{"ROUND(1234567.891e0, -3)", "1235000.0"}, Case{"ROUND(1e300, 2)", "1.0E300"},
                      Case{"ROUND(0e0 / 0, 2)", "NaN"}, Case{"ROUND(123, -1)", "120"}, Case{"ROUND(125, -1)", "130"},
                      Case{"ROUND(-125, -1)", "-130"}, Case{"ROUND(123, 2)", "123"}, Case{"ROUND(12.345, 2)", "12.35"},
                      Case{"ROUND(-12.345, 2)", "-12.35"}, Case{"ROUND(99.99, 1)", "100.0"},
                      Case{"ROUND(12.345)", "12"}, Case{"ROUND(155.5, -1)", "160"}, Case{"ROUND(5.5, -1)", "10"},
                      Case{"ROUND(1.23, 7)", "1.23"}, Case{"TRUNCATE(-42.99)", "-42"},
                      Case{"TRUNCATE(42.99e0, 1)", "42.9"}, Case{"TRUNCATE(199, -2)", "100"},
                      Case{"ROUND(NULL)", "NULL"},
                      Case{"ROUND(1.5, NULL)",
                           "refused: TM1401: ROUND: the number of digits of a DECIMAL must be a constant integer"},
                      Case{"CEIL(-1.5)", "-1"}, Case{"FLOOR(-1.5)", "-2"}, Case{"CEIL(9.01)", "10"},
                      Case{"FLOOR(7)", "7"}, Case{"CEIL(1.2e0)", "2.0"}, Case{"FLOOR(CAST(-1.5 AS FLOAT))", "-2.0"}));

INSTANTIATE_TEST_SUITE_P(
    Others, MathFunctions,
    ::testing::Values(Case{"ABS(-5)", "5"}, Case{"ABS(CAST(-128 AS TINYINT))", "-128"}, Case{"ABS(-0e0)", "0.0"},
                      Case{"SIGN(-0.5)", "-1.0"}, Case{"SIGN(-2e0)", "-1.0"}, Case{"SQRT(-1)", "NaN"},
                      Case{"LN(0)", "-Infinity"}, Case{"LOG(10, 100)", "2.0"}, Case{"POWER(2, -1)", "0.5"},
                      Case{"POWER(0, 0)", "1.0"}, Case{"EXP(NULL)", "NULL"}, Case{"RAND(7) = RAND(7)", "TRUE"},
                      Case{"RAND(7) < 1 IS TRUE", "TRUE"}, Case{"MOD(CAST(300 AS BIGINT), CAST(7 AS TINYINT))", "6"},
                      Case{"SQRT('a')", "refused: TM1401: SQRT takes (DOUBLE), given (STRING)"}));

}  // namespace
}  // namespace tidemill
