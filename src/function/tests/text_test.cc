#include <gtest/gtest.h>

#include "function/tests/sql_text.h"

namespace tidemill {
namespace {

struct Case {
  const char* sql;
  const char* expected;
};

class TextFunctions : public testing::TestWithParam<Case> {};

TEST_P(TextFunctions, AsConstantsAndAsColumns) {
  EXPECT_EQ(EvaluateOne(GetParam().sql), GetParam().expected) << GetParam().sql;
  TextOptions options;
  options.rows = 70;
  options.literals_as_columns = true;
  EXPECT_EQ(EvaluateOne(GetParam().sql, options), GetParam().expected) << "over columns: " << GetParam().sql;
}

INSTANTIATE_TEST_SUITE_P(
    Parts, TextFunctions,
    testing::Values(
        Case{"SUBSTRING('héllo', 2, 3)", "éll"}, Case{"SUBSTRING('hello', 0)", "hello"}, Case{"SUBSTRING('hello', -3, 2)", "ll"},
        Case{"SUBSTRING('hello', -9)", ""}, Case{"SUBSTRING('hello', 6)", ""}, Case{"SUBSTRING('hello', 2, -1)", "NULL"},
        Case{"SUBSTRING('hello', 2, 2147483647)", "ello"}, Case{"SUBSTRING(NULL, 1)", "NULL"}, Case{"LEFT('héllo', 2)", "hé"}, Case{"LEFT('a', -1)", ""},
        Case{"RIGHT('hellö', 2)", "lö"}, Case{"RIGHT('ab', 9)", "ab"}, Case{"TRIM('  a b ')", "a b"}, Case{"TRIM(LEADING 'é' FROM 'ééaé')", "aé"},
        Case{"TRIM(TRAILING 'xy' FROM 'axyyx')", "a"}, Case{"LPAD('hi', 1, '?')", "h"}, Case{"LPAD('hi', -1, '?')", "NULL"},
        Case{"LPAD('hi', 5, 'é1')", "é1éhi"}, Case{"RPAD('hi', 5, '')", "NULL"}, Case{"REPEAT('ab', 0)", ""},
        Case{"CHAR_LENGTH(REPEAT('abcdefgh', 300000000))", "error TM1405: the text would have 2400000000 bytes; at most 16 MiB are made"},
        Case{"REVERSE('añb')", "bña"}, Case{"OVERLAY('abcdef', 'XY', 3)", "abXYef"}, Case{"OVERLAY('abcdef', 'XY', 3, 0)", "abXYcdef"},
        Case{"OVERLAY('abc', 'XY', 9)", "abc"}, Case{"INITCAP('o''neil ÉTÉ 2nd')", "O'Neil ÉtÉ 2nd"}, Case{"UPPER('straße é')", "STRASSE É"},
        Case{"LOWER('ÀB')", "àb"}, Case{"ASCII('')", "0"}, Case{"CHR(353)", "a"}, Case{"CHR(-1)", ""}, Case{"CHAR_LENGTH('日本')", "2"},
        Case{"'a' || NULL", "NULL"}, Case{"'n=' || 5", "n=5"}, Case{"x'01' || x'02' = x'0102'", "TRUE"}, Case{"CONCAT('a', 1.50, TRUE)", "a1.50TRUE"},
        Case{"CONCAT_WS(NULL, 'a')", "NULL"}, Case{"CONCAT_WS(',', NULL, NULL)", ""}, Case{"CONCAT_WS(',', 'a', '', 'b')", "a,,b"}));

INSTANTIATE_TEST_SUITE_P(
    Searching, TextFunctions,
    testing::Values(
        Case{"POSITION('' IN 'abc')", "1"}, Case{"POSITION('z' IN 'abc')", "0"}, Case{"POSITION('b' IN 'äb')", "2"}, Case{"LOCATE('a', 'banana', 3)", "4"},
        Case{"LOCATE('a', 'banana', 0)", "0"}, Case{"INSTR('banana', 'an', 1, 2)", "4"}, Case{"INSTR('banana', 'a', -1, 2)", "4"},
        Case{"INSTR('banana', 'a', 0)", "error TM1405: INSTR: the start must not be 0, and the occurrence at least 1"},
        Case{"REPLACE('aXbX', 'X', '')", "ab"}, Case{"REPLACE('ab', '', '-')", "-a-b-"}, Case{"SPLIT_INDEX('a,,b', ',', 1)", ""},
        Case{"SPLIT_INDEX('a,b', ',', 2)", "NULL"}, Case{"SPLIT_INDEX('a--b', '--', 1)", "b"}, Case{"STARTSWITH('abc', '')", "TRUE"},
        Case{"TRANSLATE('añb', 'ñb', 'nc')", "anc"}));

INSTANTIATE_TEST_SUITE_P(
    Patterns, TextFunctions,
    testing::Values(
        Case{"'abc' LIKE 'abc'", "TRUE"}, Case{"'abc' LIKE 'a%'", "TRUE"}, Case{"'abc' LIKE '%c'", "TRUE"}, Case{"'abc' LIKE '%b%'", "TRUE"},
        Case{"'abc' LIKE '_b_'", "TRUE"}, Case{"'äbc' LIKE '_bc'", "TRUE"}, Case{"'abc' LIKE 'ab'", "FALSE"}, Case{"'' LIKE '%'", "TRUE"},
        Case{"'' LIKE '_'", "FALSE"}, Case{"'aXbXc' LIKE 'a%X_'", "TRUE"}, Case{"'abab' LIKE '%ab%ab%ab'", "FALSE"}, Case{"'ab' LIKE '%a_%_'", "FALSE"},
        Case{"'a%' LIKE 'a!%' ESCAPE '!'", "TRUE"}, Case{"'ab' LIKE 'a!%' ESCAPE '!'", "FALSE"}, Case{"'a' LIKE NULL", "NULL"},
        Case{"'a' LIKE 'a!b' ESCAPE '!'", "error TM1405: malformed pattern 'a!b'"}, Case{"'a' NOT LIKE 'b%'", "TRUE"}, Case{"'a.b' LIKE 'a.b'", "TRUE"},
        Case{"'axb' LIKE 'a.b'", "FALSE"}, Case{"'aaab' LIKE '%_ab'", "TRUE"}, Case{"'ab' SIMILAR TO 'a(b|c)'", "TRUE"},
        Case{"'a.c' SIMILAR TO 'a.c'", "TRUE"}, Case{"'abc' SIMILAR TO 'a.c'", "FALSE"}, Case{"'abc' SIMILAR TO 'a_c%'", "TRUE"},
        Case{"'b7' SIMILAR TO '[a-c][0-9]+'", "TRUE"}, Case{"'xb7' SIMILAR TO '[a-c][0-9]+'", "FALSE"}, Case{"REGEXP('abc', '^b')", "FALSE"},
        Case{"REGEXP('abc', '(')", "error TM1405: regular expression '(': missing ): ("}, Case{"REGEXP_EXTRACT('abc', 'x')", "NULL"},
        Case{"REGEXP_EXTRACT('abc', '(b)(c)?', 5)", "NULL"}, Case{"REGEXP_EXTRACT('ab', 'b(c)?', 1)", "NULL"}, Case{"REGEXP_REPLACE('ab12', '([a-z])([0-9])', '$2$1')", "a1b2"},
        Case{"REGEXP_REPLACE('a.b', '\\.', '\\$')", "a$b"}, Case{"REGEXP_COUNT('aaa', 'a*')", "2"}, Case{"REGEXP_INSTR('äb', 'b')", "2"},
        Case{"REGEXP_SUBSTR('abc', 'z')", "NULL"}));

INSTANTIATE_TEST_SUITE_P(
    Encodings, TextFunctions,
    testing::Values(
        Case{"MD5(CAST(NULL AS STRING))", "NULL"}, Case{"SHA256(x'616263') = SHA256('abc')", "TRUE"}, Case{"SHA2('abc', 100)", "NULL"},
        Case{"TO_BASE64('a')", "YQ=="}, Case{"TO_BASE64('')", ""}, Case{"FROM_BASE64('YWJj')", "abc"}, Case{"FROM_BASE64('YW')", "a"},
        Case{"FROM_BASE64('!')", "error TM1405: malformed Base64"}, Case{"HEX(-1)", "FFFFFFFFFFFFFFFF"}, Case{"HEX('é')", "C3A9"}, Case{"HEX(UNHEX('F'))", "0F"},
        Case{"UNHEX('zz')", "NULL"}, Case{"BIN(0)", "0"}, Case{"URL_ENCODE('é*')", "%C3%A9*"}, Case{"URL_DECODE('%zz')", "NULL"}, Case{"HEX(ENCODE('é€', 'UTF-16LE'))", "E900AC20"},
        Case{"HEX(ENCODE('😀', 'UTF-16BE'))", "D83DDE00"}, Case{"DECODE(x'D83DDE00', 'UTF-16BE')", "😀"}, Case{"ENCODE('é', 'US-ASCII')", "?"},
        Case{"DECODE(x'61ff', 'UTF-8')", "a\xef\xbf\xbd"}, Case{"DECODE(x'61', 'EBCDIC') IS NULL", "error TM1405: no character set 'EBCDIC'; there are US-ASCII, ISO-8859-1, UTF-8, UTF-16, UTF-16BE and UTF-16LE"}));

INSTANTIATE_TEST_SUITE_P(
    Json, TextFunctions,
    testing::Values(
        Case{R"(JSON_VALUE('{"a": "x"}', '$.a'))", "x"}, Case{R"(JSON_VALUE('{"a": {"b c": 1.50}}', 'lax $.a[''b c'']'))", "1.5"},
        Case{R"(JSON_VALUE('{"a": [1,2]}', '$.a'))", "NULL"}, Case{R"(JSON_VALUE('{"a": [1,2]}', '$.a[1]'))", "2"}, Case{R"(JSON_VALUE('{"a": 5}', '$.a[0]'))", "5"},
        Case{R"(JSON_VALUE('{"a": null}', '$.a'))", "NULL"}, Case{R"(JSON_VALUE('not json', '$.a'))", "NULL"}, Case{R"(JSON_VALUE('true', '$'))", "true"},
        Case{R"(JSON_EXISTS('{"a": 1}', '$.b'))", "FALSE"}, Case{R"(JSON_QUERY('{"a": {"b": [1, 2]}}', '$.a'))", R"({"b":[1,2]})"},
        Case{R"(JSON_VALUE('{}', '$..a'))", "error TM1405: JSON path '$..a' is not supported: members and element numbers alone are"},
        Case{R"('{"a": 1}' IS JSON)", "TRUE"}));

INSTANTIATE_TEST_SUITE_P(
    Collections, TextFunctions,
    testing::Values(
        Case{"ARRAY[1, 2.5][2]", "2.5"}, Case{"ARRAY['a', 'b'][3]", "NULL"}, Case{"ARRAY['a'][0]", "error TM1405: the elements of an array count from 1, not 0"},
        Case{"MAP['a', 1]['z']", "NULL"}, Case{"MAP[1, 'x', 2, 'y'][2]", "y"}, Case{"MAP[NULL, 1]", "refused: TM1401: MAP takes keys that are not NULL, given (NULL, INT)"},
        Case{"MAP[CAST(NULL AS STRING), 1]['a']", "error TM1405: a key of a MAP is NULL"}, Case{"CAST(MAP['x', 1] AS MAP<INT, INT>)", "error TM1402: 'x' is no INT"},
        Case{"TRY_CAST(MAP['x', 1] AS MAP<INT, INT>)", "NULL"}, Case{"CAST(MAP['7', 1] AS MAP<INT, BIGINT>)", "{7=1}"}, Case{"CARDINALITY(MAP['a', 1])", "1"},
        Case{"ROW(1, 'a', NULL)", "(1, a, NULL)"}, Case{"ROW(1, ROW(2, 3)).EXPR$1.EXPR$0", "2"}, Case{"ELEMENT(ARRAY[1, 2])", "error TM1405: ELEMENT: the array has 2 elements, not one"},
        Case{"ARRAY_CONTAINS(ARRAY[1, 2], 2.0)", "TRUE"}, Case{"ARRAY_CONTAINS(ARRAY[1, NULL], NULL)", "TRUE"}, Case{"ARRAY_CONTAINS(ARRAY[1], 2)", "FALSE"},
        Case{"ARRAY[1, 2] = ARRAY[1, 2]", "TRUE"}, Case{"ARRAY[1, 2] <> ARRAY[1, 3]", "TRUE"}, Case{"ROW(1, 'a') IS NOT DISTINCT FROM ROW(1, 'a')", "TRUE"},
        Case{"CAST(ARRAY['1', '2'] AS ARRAY<INT>)", "[1, 2]"}, Case{"TRY_CAST(ARRAY['1', 'x'] AS ARRAY<INT>)", "NULL"},
        Case{"CAST(ARRAY['1', 'x'] AS ARRAY<INT>)", "error TM1402: 'x' is no INT"}, Case{"MAP_VALUES(MAP['a', ARRAY[1], 'b', ARRAY[2, 3]])", "[[1], [2, 3]]"},
        Case{"GREATEST(1, NULL)", "NULL"}, Case{"LEAST(DATE '2024-01-02', DATE '2023-01-02')", "2023-01-02"}, Case{"5 IN (1, 2, 3, 4)", "FALSE"},
        Case{"5 IN (1, 2, NULL, 4)", "NULL"}, Case{"'b' IN ('a', 'b')", "TRUE"}, Case{"1.50 IN (1, 1.5)", "TRUE"}, Case{"5 NOT IN (1, 5)", "FALSE"}));

TEST(TextRows, PatternsThatVaryByRowAndNulls) {
  arrow::StringBuilder texts, patterns;
  const std::vector<const char*> t = {"abc", "abc", nullptr, "xyz", "xyz"}, p = {"a%", "b%", "a%", nullptr, "%z"};
  for (size_t i = 0; i < t.size(); ++i) {
    ASSERT_TRUE((t[i] ? texts.Append(t[i]) : texts.AppendNull()).ok());
    ASSERT_TRUE((p[i] ? patterns.Append(p[i]) : patterns.AppendNull()).ok());
  }
  TextOptions options;
  options.rows = 4;
  options.columns = {{"t", {(*texts.Finish())->Slice(1), DataType(TypeKind::kString)}}, {"p", {(*patterns.Finish())->Slice(1), DataType(TypeKind::kString)}}};
  EXPECT_EQ(*EvaluateToStrings("t LIKE p", options), (std::vector<std::string>{"FALSE", "NULL", "NULL", "TRUE"}));
  EXPECT_EQ(*EvaluateToStrings("UPPER(t)", options), (std::vector<std::string>{"ABC", "NULL", "XYZ", "XYZ"}));
  EXPECT_EQ(*EvaluateToStrings("ARRAY[t, 'k', p]", options),
            (std::vector<std::string>{"[abc, k, b%]", "[NULL, k, a%]", "[xyz, k, NULL]", "[xyz, k, %z]"}));
  EXPECT_EQ(*EvaluateToStrings("ROW(t, 1).EXPR$0", options), (std::vector<std::string>{"abc", "NULL", "xyz", "xyz"}));
  EXPECT_EQ(*EvaluateToStrings("MAP['q', t]['q']", options), (std::vector<std::string>{"abc", "NULL", "xyz", "xyz"}));
}

}  // namespace
}  // namespace tidemill
