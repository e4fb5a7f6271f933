#include <gtest/gtest.h>

#include "function/tests/sql_text.h"

namespace tidemill {
namespace {

struct TextCase {
  const char* sql;
  const char* expected;
};

class TextFunctions : public ::testing::TestWithParam<TextCase> {};

TEST_P(TextFunctions, AsConstantsAndAsColumns) {
  EXPECT_EQ(EvaluateOne(GetParam().sql), GetParam().expected) << GetParam().sql;
  TextOptions options;
  options.rows = 70;
  options.literals_as_columns = true;
  EXPECT_EQ(EvaluateOne(GetParam().sql, options), GetParam().expected) << "over columns: " << GetParam().sql;
}

INSTANTIATE_TEST_SUITE_P(
    Parts, TextFunctions,
    ::testing::Values(TextCase{"SUBSTRING('héllo', 2, 3)", "éll"}, TextCase{"SUBSTRING('hello', 0)", "hello"},
                      TextCase{"SUBSTRING('hello', -3, 2)", "ll"}, TextCase{"SUBSTRING('hello', -9)", ""},
                      TextCase{"SUBSTRING('hello', 6)", ""}, TextCase{"SUBSTRING('hello', 2, -1)", "NULL"},
                      TextCase{"SUBSTRING('hello', 2, 2147483647)", "ello"}, TextCase{"SUBSTRING(NULL, 1)", "NULL"},
                      TextCase{"LEFT('héllo', 2)", "hé"}, TextCase{"LEFT('a', -1)", ""},
                      TextCase{"RIGHT('hellö', 2)", "lö"}, TextCase{"RIGHT('ab', 9)", "ab"},
                      TextCase{"TRIM('  a b ')", "a b"}, TextCase{"TRIM(LEADING 'é' FROM 'ééaé')", "aé"},
                      TextCase{"TRIM(TRAILING 'xy' FROM 'axyyx')", "a"}, TextCase{"LPAD('hi', 1, '?')", "h"},
                      TextCase{"LPAD('hi', -1, '?')", "NULL"}, TextCase{"LPAD('hi', 5, 'é1')", "é1éhi"},
                      TextCase{"RPAD('hi', 5, '')", "NULL"}, TextCase{"REPEAT('ab', 0)", ""},
                      TextCase{"CHAR_LENGTH(REPEAT('abcdefgh', 300000000))",
                               "error TM1405: the text would have 2400000000 bytes; at most 16 MiB are made"},
                      TextCase{"REVERSE('añb')", "bña"}, TextCase{"OVERLAY('abcdef', 'XY', 3)", "abXYef"},
                      TextCase{"OVERLAY('abcdef', 'XY', 3, 0)", "abXYcdef"}, TextCase{"OVERLAY('abc', 'XY', 9)", "abc"},
                      TextCase{"INITCAP('o''neil ÉTÉ 2nd')", "O'Neil ÉtÉ 2nd"},
                      TextCase{"UPPER('straße é')", "STRASSE É"}, TextCase{"LOWER('ÀB')", "àb"},
                      TextCase{"ASCII('')", "0"}, TextCase{"CHR(353)", "a"}, TextCase{"CHR(-1)", ""},
                      TextCase{"CHAR_LENGTH('日本')", "2"}, TextCase{"'a' || NULL", "NULL"},
                      TextCase{"'n=' || 5", "n=5"}, TextCase{"x'01' || x'02' = x'0102'", "TRUE"},
                      TextCase{"CONCAT('a', 1.50, TRUE)", "a1.50TRUE"}, TextCase{"CONCAT_WS(NULL, 'a')", "NULL"},
                      TextCase{"CONCAT_WS(',', NULL, NULL)", ""}, TextCase{"CONCAT_WS(',', 'a', '', 'b')", "a,,b"}));

INSTANTIATE_TEST_SUITE_P(
    Searching, TextFunctions,
    ::testing::Values(TextCase{"POSITION('' IN 'abc')", "1"}, TextCase{"POSITION('z' IN 'abc')", "0"},
                      TextCase{"POSITION('b' IN 'äb')", "2"}, TextCase{"LOCATE('a', 'banana', 3)", "4"},
                      TextCase{"LOCATE('a', 'banana', 0)", "0"}, TextCase{"INSTR('banana', 'an', 1, 2)", "4"},
                      TextCase{"INSTR('banana', 'a', -1, 2)", "4"},
                      TextCase{"INSTR('banana', 'a', 0)",
                               "error TM1405: INSTR: the start must not be 0, and the occurrence at least 1"},
                      TextCase{"REPLACE('aXbX', 'X', '')", "ab"}, TextCase{"REPLACE('ab', '', '-')", "-a-b-"},
                      TextCase{"SPLIT_INDEX('a,,b', ',', 1)", ""}, TextCase{"SPLIT_INDEX('a,b', ',', 2)", "NULL"},
                      TextCase{"SPLIT_INDEX('a--b', '--', 1)", "b"}, TextCase{"STARTSWITH('abc', '')", "TRUE"},
                      TextCase{"TRANSLATE('añb', 'ñb', 'nc')", "anc"}));

INSTANTIATE_TEST_SUITE_P(
    Patterns, TextFunctions,
    ::testing::Values(
        TextCase{"'abc' LIKE 'abc'", "TRUE"}, TextCase{"'abc' LIKE 'a%'", "TRUE"}, TextCase{"'abc' LIKE '%c'", "TRUE"},
        TextCase{"'abc' LIKE '%b%'", "TRUE"}, TextCase{"'abc' LIKE '_b_'", "TRUE"},
        TextCase{"'äbc' LIKE '_bc'", "TRUE"}, TextCase{"'abc' LIKE 'ab'", "FALSE"}, TextCase{"'' LIKE '%'", "TRUE"},
        TextCase{"'' LIKE '_'", "FALSE"}, TextCase{"'aXbXc' LIKE 'a%X_'", "TRUE"},
        TextCase{"'abab' LIKE '%ab%ab%ab'", "FALSE"}, TextCase{"'ab' LIKE '%a_%_'", "FALSE"},
        TextCase{"'a%' LIKE 'a!%' ESCAPE '!'", "TRUE"}, TextCase{"'ab' LIKE 'a!%' ESCAPE '!'", "FALSE"},
        TextCase{"'a' LIKE NULL", "NULL"},
        TextCase{"'a' LIKE 'a!b' ESCAPE '!'", "error TM1405: malformed pattern 'a!b'"},
        TextCase{"'a' NOT LIKE 'b%'", "TRUE"}, TextCase{"'a.b' LIKE 'a.b'", "TRUE"},
        TextCase{"'axb' LIKE 'a.b'", "FALSE"}, TextCase{"'aaab' LIKE '%_ab'", "TRUE"},
        TextCase{"'ab' SIMILAR TO 'a(b|c)'", "TRUE"}, TextCase{"'a.c' SIMILAR TO 'a.c'", "TRUE"},
        TextCase{"'abc' SIMILAR TO 'a.c'", "FALSE"}, TextCase{"'abc' SIMILAR TO 'a_c%'", "TRUE"},
        TextCase{"'b7' SIMILAR TO '[a-c][0-9]+'", "TRUE"}, TextCase{"'xb7' SIMILAR TO '[a-c][0-9]+'", "FALSE"},
        TextCase{"REGEXP('abc', '^b')", "FALSE"},
        TextCase{"REGEXP('abc', '(')", "error TM1405: regular expression '(': missing ): ("},
        TextCase{"REGEXP_EXTRACT('abc', 'x')", "NULL"}, TextCase{"REGEXP_EXTRACT('abc', '(b)(c)?', 5)", "NULL"},
        TextCase{"REGEXP_EXTRACT('ab', 'b(c)?', 1)", "NULL"},
        TextCase{"REGEXP_REPLACE('ab12', '([a-z])([0-9])', '$2$1')", "a1b2"},
        TextCase{"REGEXP_REPLACE('a.b', '\\.', '\\$')", "a$b"}, TextCase{"REGEXP_COUNT('aaa', 'a*')", "2"},
        TextCase{"REGEXP_INSTR('äb', 'b')", "2"}, TextCase{"REGEXP_SUBSTR('abc', 'z')", "NULL"}));

INSTANTIATE_TEST_SUITE_P(
    Encodings, TextFunctions,
    ::testing::Values(
        TextCase{"MD5(CAST(NULL AS STRING))", "NULL"}, TextCase{"SHA256(x'616263') = SHA256('abc')", "TRUE"},
        TextCase{"SHA2('abc', 100)", "NULL"}, TextCase{"TO_BASE64('a')", "YQ=="}, TextCase{"TO_BASE64('')", ""},
        TextCase{"FROM_BASE64('YWJj')", "abc"}, TextCase{"FROM_BASE64('YW')", "a"},
        TextCase{"FROM_BASE64('!')", "error TM1405: malformed Base64"}, TextCase{"HEX(-1)", "FFFFFFFFFFFFFFFF"},
        TextCase{"HEX('é')", "C3A9"}, TextCase{"HEX(UNHEX('F'))", "0F"}, TextCase{"UNHEX('zz')", "NULL"},
        TextCase{"BIN(0)", "0"}, TextCase{"URL_ENCODE('é*')", "%C3%A9*"}, TextCase{"URL_DECODE('%zz')", "NULL"},
        TextCase{"HEX(ENCODE('é€', 'UTF-16LE'))", "E900AC20"}, TextCase{"HEX(ENCODE('😀', 'UTF-16BE'))", "D83DDE00"},
        TextCase{"DECODE(x'D83DDE00', 'UTF-16BE')", "😀"}, TextCase{"ENCODE('é', 'US-ASCII')", "?"},
        TextCase{"DECODE(x'61ff', 'UTF-8')", "a\xef\xbf\xbd"},
        TextCase{"DECODE(x'61', 'EBCDIC') IS NULL",
                 "error TM1405: no character set 'EBCDIC'; there are US-ASCII, ISO-8859-1, UTF-8, UTF-16, UTF-16BE and "
                 "UTF-16LE"}));

INSTANTIATE_TEST_SUITE_P(
    Json, TextFunctions,
    ::testing::Values(
        TextCase{R"(JSON_VALUE('{"a": "x"}', '$.a'))", "x"},
        TextCase{R"(JSON_VALUE('{"a": {"b c": 1.50}}', 'lax $.a[''b c'']'))", "1.5"},
        TextCase{R"(JSON_VALUE('{"a": [1,2]}', '$.a'))", "NULL"},
        TextCase{R"(JSON_VALUE('{"a": [1,2]}', '$.a[1]'))", "2"}, TextCase{R"(JSON_VALUE('{"a": 5}', '$.a[0]'))", "5"},
        TextCase{R"(JSON_VALUE('{"a": null}', '$.a'))", "NULL"}, TextCase{R"(JSON_VALUE('not json', '$.a'))", "NULL"},
        TextCase{R"(JSON_VALUE('true', '$'))", "true"}, TextCase{R"(JSON_EXISTS('{"a": 1}', '$.b'))", "FALSE"},
        TextCase{R"(JSON_QUERY('{"a": {"b": [1, 2]}}', '$.a'))", R"({"b":[1,2]})"},
        TextCase{R"(JSON_VALUE('{}', '$..a'))",
                 "error TM1405: JSON path '$..a' is not supported: members and element numbers alone are"},
        TextCase{R"('{"a": 1}' IS JSON)", "TRUE"}));

INSTANTIATE_TEST_SUITE_P(
    Collections, TextFunctions,
    ::testing::Values(
        TextCase{"ARRAY[1, 2.5][2]", "2.5"}, TextCase{"ARRAY['a', 'b'][3]", "NULL"},
        TextCase{"ARRAY['a'][0]", "error TM1405: the elements of an array count from 1, not 0"},
        TextCase{"MAP['a', 1]['z']", "NULL"}, TextCase{"MAP[1, 'x', 2, 'y'][2]", "y"},
        TextCase{"MAP[NULL, 1]", "refused: TM1401: MAP takes keys that are not NULL, given (NULL, INT)"},
        TextCase{"MAP[CAST(NULL AS STRING), 1]['a']", "error TM1405: a key of a MAP is NULL"},
        TextCase{"CAST(MAP['x', 1] AS MAP<INT, INT>)", "error TM1402: 'x' is no INT"},
        TextCase{"TRY_CAST(MAP['x', 1] AS MAP<INT, INT>)", "NULL"},
        TextCase{"CAST(MAP['7', 1] AS MAP<INT, BIGINT>)", "{7=1}"}, TextCase{"CARDINALITY(MAP['a', 1])", "1"},
        TextCase{"ROW(1, 'a', NULL)", "(1, a, NULL)"}, TextCase{"ROW(1, ROW(2, 3)).EXPR$1.EXPR$0", "2"},
        TextCase{"ELEMENT(ARRAY[1, 2])", "error TM1405: ELEMENT: the array has 2 elements, not one"},
        TextCase{"ARRAY_CONTAINS(ARRAY[1, 2], 2.0)", "TRUE"}, TextCase{"ARRAY_CONTAINS(ARRAY[1, NULL], NULL)", "TRUE"},
        TextCase{"ARRAY_CONTAINS(ARRAY[1], 2)", "FALSE"}, TextCase{"ARRAY[1, 2] = ARRAY[1, 2]", "TRUE"},
        TextCase{"ARRAY[1, 2] <> ARRAY[1, 3]", "TRUE"},
        TextCase{"ROW(1, 'a') IS NOT DISTINCT FROM ROW(1, 'a')", "TRUE"},
        TextCase{"CAST(ARRAY['1', '2'] AS ARRAY<INT>)", "[1, 2]"},
        TextCase{"TRY_CAST(ARRAY['1', 'x'] AS ARRAY<INT>)", "NULL"},
        TextCase{"CAST(ARRAY['1', 'x'] AS ARRAY<INT>)", "error TM1402: 'x' is no INT"},
        TextCase{"MAP_VALUES(MAP['a', ARRAY[1], 'b', ARRAY[2, 3]])", "[[1], [2, 3]]"},
        TextCase{"GREATEST(1, NULL)", "NULL"}, TextCase{"LEAST(DATE '2024-01-02', DATE '2023-01-02')", "2023-01-02"},
        TextCase{"5 IN (1, 2, 3, 4)", "FALSE"}, TextCase{"5 IN (1, 2, NULL, 4)", "NULL"},
        TextCase{"'b' IN ('a', 'b')", "TRUE"}, TextCase{"1.50 IN (1, 1.5)", "TRUE"},
        TextCase{"5 NOT IN (1, 5)", "FALSE"}));

TEST(TextRows, PatternsThatVaryByRowAndNulls) {
  arrow::StringBuilder texts, patterns;
  const std::vector<const char*> t = {"abc", "abc", nullptr, "xyz", "xyz"}, p = {"a%", "b%", "a%", nullptr, "%z"};
  for (size_t i = 0; i < t.size(); ++i) {
    ASSERT_TRUE((t[i] ? texts.Append(t[i]) : texts.AppendNull()).ok());
    ASSERT_TRUE((p[i] ? patterns.Append(p[i]) : patterns.AppendNull()).ok());
  }
  TextOptions options;
  options.rows = 4;
  options.columns = {{"t", {(*texts.Finish())->Slice(1), DataType(TypeKind::kString)}},
                     {"p", {(*patterns.Finish())->Slice(1), DataType(TypeKind::kString)}}};
  EXPECT_EQ(*EvaluateToStrings("t LIKE p", options), (std::vector<std::string>{"FALSE", "NULL", "NULL", "TRUE"}));
  EXPECT_EQ(*EvaluateToStrings("UPPER(t)", options), (std::vector<std::string>{"ABC", "NULL", "XYZ", "XYZ"}));
  EXPECT_EQ(*EvaluateToStrings("ARRAY[t, 'k', p]", options),
            (std::vector<std::string>{"[abc, k, b%]", "[NULL, k, a%]", "[xyz, k, NULL]", "[xyz, k, %z]"}));
  EXPECT_EQ(*EvaluateToStrings("ROW(t, 1).EXPR$0", options), (std::vector<std::string>{"abc", "NULL", "xyz", "xyz"}));
  EXPECT_EQ(*EvaluateToStrings("MAP['q', t]['q']", options), (std::vector<std::string>{"abc", "NULL", "xyz", "xyz"}));
}

}  // namespace
}  // namespace tidemill
