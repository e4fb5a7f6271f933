#include "sql/parser/parser.h"

#include <gtest/gtest.h>

#include "sql/errors.h"

namespace tidemill {
namespace {

// Parsing what was printed prints the same again, and no construct is lost on the way.
void ExpectRoundTrip(const std::string& sql) {
  SCOPED_TRACE(sql);
  Result<std::vector<ast::Statement>> first = ParseScript("t.sql", sql, {});
  ASSERT_TRUE(first.ok()) << RenderError(first.status(), sql);
  ASSERT_EQ(first->size(), 1u);
  const std::string printed = ast::ToSql((*first)[0]);
  Result<std::vector<ast::Statement>> second = ParseScript("t.sql", printed, {});
  ASSERT_TRUE(second.ok()) << printed << "\n" << RenderError(second.status(), printed);
  EXPECT_EQ(ast::ToSql((*second)[0]), printed);
}

std::string Printed(const std::string& expression) {
  Result<std::vector<ast::Statement>> parsed = ParseScript("t.sql", "SELECT " + expression, {});
  if (!parsed.ok()) return parsed.status().ToString();
  return ast::ToSql(*(*parsed)[0].query).substr(7);
}

TEST(Parser, RoundTrips) {
  for (const char* sql : {
           "SELECT 1",
           "SELECT a, b AS c, t.*, * FROM t",
           "SELECT DISTINCT a FROM `t``x` AS t (a, b) WHERE a > 1 AND b IS NOT NULL GROUP BY a, (b, c) HAVING COUNT(*) "
           "> 2",
           "SELECT CASE a WHEN 1 THEN 'x' ELSE NULL END, CASE WHEN a THEN b END FROM t",
           "SELECT CAST(a AS DECIMAL(10, 2)), TRY_CAST(b AS ROW<x INT, y ARRAY<STRING NOT NULL>>), CAST(c AS "
           "MAP<STRING, BIGINT>) FROM t",
           "SELECT a BETWEEN 1 AND 2 AND b NOT BETWEEN SYMMETRIC 3 AND 4, c IN (1, 2), d NOT IN ('x') FROM t",
           "SELECT a LIKE 'x%' ESCAPE '!', b NOT LIKE c, d SIMILAR TO 'e' FROM t",
           "SELECT a IS DISTINCT FROM b, a IS NOT DISTINCT FROM b, (a IS TRUE) IS NOT UNKNOWN FROM t",
           "SELECT INTERVAL '1' DAY, INTERVAL -'1 02:03' DAY TO MINUTE, DATE '2026-01-01', TIMESTAMP '2026-01-01 "
           "00:00:00', TIME '01:02:03'",
           "SELECT EXTRACT(DAY FROM ts), FLOOR(ts TO HOUR), CEIL(x), TIMESTAMPDIFF(SECOND, a, b), TIMESTAMPADD(MONTH, "
           "1, c) FROM t",
           "SELECT POSITION('a' IN b), SUBSTRING(a FROM 1 FOR 2), SUBSTRING(a, 1), TRIM(BOTH 'x' FROM a), TRIM(a), "
           "OVERLAY(a PLACING b FROM 1 FOR 2) FROM t",
           "SELECT ARRAY[1, 2][1], MAP['a', 1]['a'], ROW(1, 'a'), (1, 2), a.b.c, f(a).b FROM t",
           "SELECT COUNT(*), COUNT(DISTINCT a), SUM(a) FILTER (WHERE b > 0), LAG(a, 2) OVER w FROM t WINDOW w AS "
           "(PARTITION BY k ORDER BY ts)",
           "SELECT SUM(a) OVER (w ROWS BETWEEN 3 PRECEDING AND CURRENT ROW), AVG(a) OVER (ORDER BY ts RANGE INTERVAL "
           "'1' HOUR PRECEDING) FROM t",
           "SELECT * FROM TABLE(TUMBLE(TABLE t, DESCRIPTOR(ts), INTERVAL '1' MINUTE))",
           "SELECT * FROM HOP(DATA => TABLE t, TIMECOL => DESCRIPTOR(ts), SLIDE => INTERVAL '1' MINUTE, SIZE => "
           "INTERVAL '5' MINUTE) AS h",
           "SELECT * FROM SESSION(TABLE t PARTITION BY a, b, DESCRIPTOR(ts), INTERVAL '1' MINUTE)",
           "SELECT * FROM SESSION(TABLE t PARTITION BY (a, b), DESCRIPTOR(ts), INTERVAL '1' MINUTE)",
           "SELECT * FROM ML_PREDICT(TABLE t, MODEL m, DESCRIPTOR(a, b), MAP['async', 'true'])",
           "SELECT * FROM a JOIN b FOR SYSTEM_TIME AS OF a.ts AS c ON a.k = c.k LEFT JOIN d FOR SYSTEM_TIME AS OF a.ts "
           "ON a.k = d.k",
           "SELECT * FROM a, b CROSS JOIN c FULL OUTER JOIN d USING (x, y)",
           "SELECT * FROM t /*+ OPTIONS('a' = 'b', 'c' = 'd') */ AS x",
           "WITH a AS (SELECT 1), b (x) AS (SELECT * FROM a) SELECT * FROM b UNION ALL SELECT 2 UNION ALL (SELECT 3)",
           "SELECT 1 UNION SELECT 2 INTERSECT SELECT 3 EXCEPT ALL SELECT 4",
           "SELECT a FROM t ORDER BY a DESC NULLS LAST, b LIMIT 10 OFFSET 5",
           "SELECT (SELECT 1), EXISTS (SELECT 1), NOT EXISTS (SELECT 2), a IN (SELECT 3), a NOT IN (SELECT 4) FROM t",
           "VALUES (1, 'a'), (2, NULL)",
           "CREATE TABLE IF NOT EXISTS t (a BIGINT NOT NULL COMMENT 'x', b AS a + 1, c TIMESTAMP(3) METADATA FROM "
           "'timestamp' VIRTUAL, d STRING METADATA, "
           "WATERMARK FOR c AS c - INTERVAL '5' SECOND, PRIMARY KEY (a) NOT ENFORCED) COMMENT 'it''s' PARTITIONED BY "
           "(a) WITH ('connector' = 'print')",
           "CREATE TEMPORARY TABLE t LIKE u (EXCLUDING OPTIONS OVERWRITING WATERMARKS)",
           "CREATE VIEW v (a, b) COMMENT 'c' AS SELECT 1, 2",
           "CREATE MODEL m INPUT (a DOUBLE) OUTPUT (b DOUBLE, c STRING) COMMENT 'm' WITH ('provider' = 'onnx')",
           "DROP TABLE IF EXISTS t",
           "DROP TEMPORARY VIEW v",
           "SHOW TABLES",
           "DESCRIBE MODEL m",
           "DESC t",
           "SET 'a' = 'b'",
           "SET",
           "RESET 'a'",
           "INSERT INTO t /*+ OPTIONS('a' = 'b') */ (x, y) SELECT 1, 2",
           "EXECUTE STATEMENT SET BEGIN INSERT INTO a SELECT 1; INSERT INTO b VALUES (2); END",
           "EXPLAIN PLAN FOR SELECT 1",
           "EXPLAIN CHANGELOG_MODE, ESTIMATED_COST INSERT INTO t SELECT 1",
           "EXPLAIN STATEMENT SET BEGIN INSERT INTO a SELECT 1; END",
           "select X'00ff', -1, +2, - - 3, 1.5e3, .5, 'a''b' -- comment\n /* and\n another */",
       }) {
    ExpectRoundTrip(sql);
  }
}

TEST(Parser, OlderStatementSet) {
  Result<std::vector<ast::Statement>> parsed =
      ParseScript("t.sql", "BEGIN STATEMENT SET; INSERT INTO a SELECT 1; INSERT INTO b SELECT 2; END;", {});
  ASSERT_TRUE(parsed.ok()) << parsed.status().ToString();
  ASSERT_EQ(parsed->size(), 1u);
  EXPECT_EQ((*parsed)[0].kind, ast::Statement::Kind::kStatementSet);
  EXPECT_EQ((*parsed)[0].inserts.size(), 2u);
}

// The order is Calcite's: OR, AND, NOT, IS, comparison, BETWEEN/IN/LIKE, + -, * / % ||, sign.
TEST(Parser, Precedence) {
  EXPECT_EQ(Printed("a + b * c - d"), "((`a` + (`b` * `c`)) - `d`)");
  EXPECT_EQ(Printed("a OR b AND NOT c = d"), "(`a` OR (`b` AND (NOT (`c` = `d`))))");
  EXPECT_EQ(Printed("a = b IS NULL"), "((`a` = `b`) IS NULL)");
  EXPECT_EQ(Printed("a || b + c"), "((`a` || `b`) + `c`)");
  EXPECT_EQ(Printed("-a * b"), "((- `a`) * `b`)");
  EXPECT_EQ(Printed("a + 1 BETWEEN b AND c AND d"), "(((`a` + 1) BETWEEN `b` AND `c`) AND `d`)");
  EXPECT_EQ(Printed("a AND b AND c OR d"), "((`a` AND `b` AND `c`) OR `d`)");
  EXPECT_EQ(Printed("a < b = c"), "((`a` < `b`) = `c`)");
  EXPECT_EQ(Printed("NOT a IN (1) OR b"), "((NOT (`a` IN (1))) OR `b`)");
  EXPECT_EQ(Printed("a != b"), "(`a` <> `b`)");
}

TEST(Parser, Variables) {
  auto text_of = [](const std::string& sql, const std::map<std::string, std::string>& variables) -> std::string {
    Result<std::vector<ast::Statement>> parsed = ParseScript("t.sql", sql, variables);
    return parsed.ok() ? ast::ToSql((*parsed)[0]) : parsed.status().ToString();
  };
  EXPECT_EQ(text_of("SELECT ${a}", {{"a", "1 + 2"}}), "SELECT (1 + 2)");
  EXPECT_EQ(text_of("SELECT '${a}/x'", {{"a", "it's"}}), "SELECT 'it''s/x'");
  EXPECT_EQ(text_of("SELECT `${a}`", {{"a", "q`q"}}), "SELECT `q``q`");
  EXPECT_EQ(text_of("SELECT '${a:-none}', '${b:-${a:-deep}}'", {}), "SELECT 'none', 'deep'");
  EXPECT_EQ(text_of("SELECT '${b:-${a}/x}'", {{"a", "y"}}), "SELECT 'y/x'");
  EXPECT_EQ(text_of("SELECT 1 -- ${missing}\n /* ${missing} */", {}), "SELECT 1");
  // Secrets stay for the connector.
  EXPECT_EQ(text_of("SELECT '${env:TOKEN} ${file:/run/x}'", {}), "SELECT '${env:TOKEN} ${file:/run/x}'");
}

TEST(Parser, PositionsAreThoseOfTheFileBeforeVariables) {
  Result<std::vector<ast::Statement>> parsed =
      ParseScript("t.sql", "SELECT ${long}, b FROM WHERE", {{"long", "aaaaaaaaaaaaaaaaaaaaaaaaaa"}});
  ASSERT_FALSE(parsed.ok());
  EXPECT_EQ(parsed.status().position()->column, 24);
  // A fault inside a value stands at its ${...}.
  parsed = ParseScript("t.sql", "SELECT\n  ${bad}", {{"bad", "1 + FROM"}});
  ASSERT_FALSE(parsed.ok());
  EXPECT_EQ(parsed.status().position()->line, 2);
  EXPECT_EQ(parsed.status().position()->column, 3);
}

TEST(Parser, ColumnsCountCharacters) {
  Result<std::vector<ast::Statement>> parsed = ParseScript("t.sql", "SELECT 'äöü€', )", {});
  ASSERT_FALSE(parsed.ok());
  EXPECT_EQ(parsed.status().position()->column, 16);
}

TEST(Parser, Bounds) {
  auto code = [](const std::string& sql) {
    Result<std::vector<ast::Statement>> parsed = ParseScript("t.sql", sql, {});
    return parsed.ok() ? 0 : static_cast<int>(parsed.status().code().number);
  };
  auto repeat = [](const std::string& text, int n) {
    std::string out;
    for (int i = 0; i < n; ++i) out += text;
    return out;
  };
  EXPECT_EQ(code("SELECT " + repeat("(", 150) + "1" + repeat(")", 150)), 0);
  EXPECT_EQ(code("SELECT " + repeat("(", 5000) + "1" + repeat(")", 5000)), kNestingTooDeep.number);
  EXPECT_EQ(code("SELECT " + repeat("- ", 5000) + "1"), kNestingTooDeep.number);
  EXPECT_EQ(code("SELECT " + repeat("NOT ", 5000) + "TRUE"), kNestingTooDeep.number);
  EXPECT_EQ(code(repeat("SELECT * FROM (", 5000) + "SELECT 1"), kNestingTooDeep.number);
  EXPECT_EQ(code("SELECT CAST(a AS " + repeat("ARRAY<", 5000)), kNestingTooDeep.number);
  EXPECT_EQ(code("SELECT 1" + repeat(" + 1", 5000)), kNestingTooDeep.number);
  EXPECT_EQ(code("SELECT 1 = 1" + repeat(" AND 1 = 1", 5000)), 0);
  EXPECT_EQ(code("SELECT 1" + repeat(" UNION ALL SELECT 1", 2000)), 0);
  EXPECT_EQ(code("SELECT " + std::string(257, 'a')), kSyntaxError.number);
  EXPECT_EQ(code("SELECT " + std::string(256, 'a')), 0);
  EXPECT_EQ(code(std::string((4 << 20) + 1, ' ')), kLimitExceeded.number);
}

}  // namespace
}  // namespace tidemill
