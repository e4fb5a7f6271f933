// Every kind of error a script can have, with the exact place it is reported at.
#include <gtest/gtest.h>

#include "sql/tests/test_environment.h"

namespace tidemill {
namespace {

constexpr const char* kTables =
    "CREATE TABLE tx (id BIGINT, amount DOUBLE, country STRING, flag BOOLEAN, r ROW<x INT, y STRING>, ts TIMESTAMP(3), "
    "other TIMESTAMP(3),\n"
    "  WATERMARK FOR ts AS ts - INTERVAL '5' SECOND) WITH ('connector' = 'filesystem');\n"
    "CREATE TABLE profiles (id BIGINT, zone STRING, since TIMESTAMP(3), WATERMARK FOR since AS since, PRIMARY KEY (id, "
    "zone) NOT ENFORCED)\n"
    "  WITH ('connector' = 'filesystem');\n"
    "CREATE TABLE plain (id BIGINT, name STRING) WITH ('connector' = 'filesystem');\n"
    "CREATE TABLE sink (id BIGINT NOT NULL, amount DOUBLE, twice AS id * 2) WITH ('connector' = 'filesystem');\n"
    "CREATE VIEW v AS SELECT id, ts FROM tx;\n"
    "CREATE MODEL m INPUT (a DOUBLE, b STRING) OUTPUT (score DOUBLE) WITH ('provider' = 'onnx');\n";

struct Case {
  const char* sql;
  const ErrorCode* code;
  int line;
  int column;
  const char* message;  // part of the message
  const char* hint;     // part of the hint, or empty
};

const Case kCases[] = {
    // --- lexer ---
    {"SELECT 'abc", &kSyntaxError, 1, 8, "closing quote", ""},
    {"SELECT `abc", &kSyntaxError, 1, 8, "closing backtick", ""},
    {"SELECT /* abc", &kSyntaxError, 1, 8, "without its end", ""},
    {"SELECT 1x", &kSyntaxError, 1, 8, "neither a number nor a name", "backticks"},
    {"SELECT \"a\"", &kSyntaxError, 1, 8, "'\"'", "'text' is a string"},
    {"SELECT #", &kSyntaxError, 1, 8, "unexpected character '#'", ""},
    {"SELECT ``", &kSyntaxError, 1, 8, "empty name", ""},
    {"SELECT ${nope}", &kUnknownVariable, 1, 8, "'nope'", "-D nope="},
    {"SELECT 'a\n${file_}'", &kUnknownVariable, 2, 1, "'file_'", "did you mean 'file'"},
    {"SELECT ${a", &kSyntaxError, 1, 8, "'}'", ""},
    // --- statements ---
    {"SELEC 1", &kSyntaxError, 1, 1, "expected a statement, found 'SELEC'", "'SELECT'"},
    {"CREATE TABEL t (a INT)", &kSyntaxError, 1, 8, "expected TABLE, VIEW or MODEL", "'TABLE'"},
    {"SELECT 1; INSRT INTO t SELECT 1", &kSyntaxError, 1, 11, "expected a statement", "'INSERT'"},
    {"SELECT 1 2", &kSyntaxError, 1, 10, "expected ',' or FROM, found number 2", ""},
    {"DROP TABLE nope", &kTableNotFound, 1, 12, "'nope' not found", ""},
    {"ALTER TABLE t RENAME TO u", &kUnsupportedSyntax, 1, 1, "ALTER", ""},
    {"CREATE FUNCTION f AS 'x'", &kUnsupportedSyntax, 1, 8, "CREATE FUNCTION", ""},
    {"SHOW TABLE", &kSyntaxError, 1, 6, "expected TABLES", "'TABLES'"},
    {"DESCRIBE txx", &kTableNotFound, 1, 10, "'txx'", "'tx'"},
    {"DESCRIBE MODEL n", &kModelNotFound, 1, 16, "'n'", ""},
    {"SET 'table.exec.over.emitt' = 'x'", &kUnknownOption, 1, 5, "table.exec.over.emitt", "'table.exec.over.emit'"},
    {"SET 'table.exec.over.emit' = 'soon'", &kInvalidOption, 1, 30, "on-watermark, on-arrival", ""},
    {"SET 'table.exec.over.emit' = 'on-arrival-corrected'", &kUnsupportedSyntax, 1, 30, "on-arrival-corrected", ""},
    {"SET 'table.local-time-zone' = 'Mars/Base'", &kInvalidOption, 1, 31, "time zone", ""},
    {"SET 'table.exec.state.ttl' = 'long'", &kInvalidOption, 1, 30, "long", ""},
    {"SET a = 'b'", &kSyntaxError, 1, 5, "setting's name", ""},
    {"EXECUTE STATEMENT SET BEGIN INSERT INTO sink SELECT 1, 2; SELECT 1; END", &kSyntaxError, 1, 59,
     "expected INSERT or END", ""},
    // --- CREATE ---
    {"CREATE TABLE tx (a INT) WITH ('connector' = 'print')", &kAlreadyExists, 1, 14, "'tx' already exists", ""},
    {"CREATE TABLE t (a INTT) WITH ('connector' = 'print')", &kSyntaxError, 1, 19, "unknown type 'INTT'", "'INT'"},
    {"CREATE TABLE t (a INT,\n  a STRING) WITH ('connector' = 'print')", &kAlreadyExists, 2, 3, "'a' stands twice", ""},
    {"CREATE TABLE t (a INT) WITH ('conector' = 'print')", &kMissingOption, 1, 14, "no 'connector'", ""},
    {"CREATE TABLE t (a INT) WITH (\n  'connector' = 'printt')", &kUnknownConnector, 2, 17, "printt", ""},
    {"CREATE TABLE t (a INT) WITH ('connector' = 'print', 'connector' = 'x')", &kInvalidOption, 1, 53, "stands twice",
     ""},
    {"CREATE TABLE t (a DECIMAL(40, 2)) WITH ('connector' = 'print')", &kInvalidLiteral, 1, 27, "1 to 38", ""},
    {"CREATE TABLE t (a INT, WATERMARK FOR b AS b) WITH ('connector' = 'print')", &kColumnNotFound, 1, 38, "'b'", ""},
    {"CREATE TABLE t (a INT, WATERMARK FOR a AS a) WITH ('connector' = 'print')", &kInvalidWatermark, 1, 38,
     "'a' is INT", ""},
    {"CREATE TABLE t (a TIMESTAMP(6), WATERMARK FOR a AS a) WITH ('connector' = 'print')", &kInvalidWatermark, 1, 47,
     "TIMESTAMP(6)", ""},
    {"CREATE TABLE t (a TIMESTAMP(3), WATERMARK FOR a AS 1) WITH ('connector' = 'print')", &kInvalidWatermark, 1, 52,
     "found INT", ""},
    {"CREATE TABLE t (a INT, PRIMARY KEY (b) NOT ENFORCED) WITH ('connector' = 'print')", &kColumnNotFound, 1, 37,
     "'b'", ""},
    {"CREATE TABLE t (a INT, PRIMARY KEY (a)) WITH ('connector' = 'print')", &kSyntaxError, 1, 39, "NOT ENFORCED", ""},
    {"CREATE TABLE t (a INT, b AS c + 1) WITH ('connector' = 'print')", &kColumnNotFound, 1, 29, "'c' not found in 't'",
     ""},
    {"CREATE TABLE t (a INT) PARTITIONED BY (z) WITH ('connector' = 'print')", &kColumnNotFound, 1, 40, "'z'", ""},
    {"CREATE TABLE t AS SELECT 1", &kUnsupportedSyntax, 1, 16, "AS SELECT", ""},
    {"CREATE VIEW w AS SELECT nope FROM tx", &kColumnNotFound, 1, 25, "'nope'", ""},
    {"CREATE VIEW w (a) AS SELECT id, amount FROM tx", &kColumnNotFound, 1, 16, "2 columns, 1 names", ""},
    {"CREATE MODEL n INPUT (a DOUBLE) OUTPUT (b DOUBLE) WITH ('path' = 'x')", &kMissingOption, 1, 14, "'provider'", ""},
    // --- names ---
    {"SELECT amout FROM tx", &kColumnNotFound, 1, 8, "column 'amout' not found in 'tx'", "did you mean 'amount'?"},
    {"SELECT t.amout FROM tx AS t", &kColumnNotFound, 1, 10, "not found in 't'", "'amount'"},
    {"SELECT xyz.amount FROM tx AS uu", &kColumnNotFound, 1, 8, "'xyz' not found", ""},
    {"SELECT id\nFROM transaction", &kTableNotFound, 2, 6, "'transaction' not found", ""},
    {"SELECT id FROM plan", &kTableNotFound, 1, 16, "'plan'", "'plain'"},
    {"SELECT id FORM tx", &kSyntaxError, 1, 11, "expected ',' or FROM, found 'FORM'", "'FROM'"},
    {"SELECT id FROM tx WERE id > 1", &kSyntaxError, 1, 19, "found 'WERE'", "'WHERE'"},
    {"SELECT zz.* FROM tx", &kTableNotFound, 1, 8, "'zz'", ""},
    {"SELECT r.z FROM tx", &kColumnNotFound, 1, 10, "field 'z' not found", ""},
    {"SELECT id.z FROM tx", &kTypeMismatch, 1, 11, "found BIGINT", ""},
    {"SELECT * FROM a.b", &kUnsupportedSyntax, 1, 16, "several parts", ""},
    {"SELECT id FROM (SELECT id, ts AS id FROM tx)", &kAmbiguousColumn, 1, 8, "'id' is ambiguous", ""},
    {"SELECT table FROM tx", &kSyntaxError, 1, 8, "expected an expression, found 'table'", ""},
    {"CREATE TABLE order (a INT)", &kSyntaxError, 1, 14, "expected a table name, found 'order'", "`order`"},
    // --- expressions ---
    {"SELECT NOPE(1) FROM tx", &kNoSuchFunction, 1, 8, "'NOPE'", ""},
    {"SELECT COUNTT(id) FROM tx", &kNoSuchFunction, 1, 8, "'COUNTT'", "'COUNT'"},
    {"SELECT id + country FROM tx", &kWrongArguments, 1, 11, "", ""},
    {"SELECT id FROM tx WHERE amount", &kTypeMismatch, 1, 25, "WHERE must be BOOLEAN, found DOUBLE", ""},
    {"SELECT id FROM tx WHERE flag AND id", &kTypeMismatch, 1, 34, "operand of AND", ""},
    {"SELECT NOT id FROM tx", &kTypeMismatch, 1, 12, "operand of NOT", ""},
    {"SELECT CASE WHEN id THEN 1 END FROM tx", &kTypeMismatch, 1, 18, "WHEN must be BOOLEAN", ""},
    {"SELECT CASE WHEN flag THEN 1 ELSE r END FROM tx", &kTypeMismatch, 1, 35, "no common type", ""},
    {"SELECT CAST(r AS INT) FROM tx", &kTypeMismatch, 1, 8, "can't be cast to INT", ""},
    {"SELECT DATE '2026-02-30'", &kInvalidLiteral, 1, 8, "'2026-02-30' is not a DATE", ""},
    {"SELECT TIMESTAMP 'soon'", &kInvalidLiteral, 1, 8, "not a TIMESTAMP", ""},
    {"SELECT INTERVAL 'x' DAY", &kInvalidLiteral, 1, 8, "not a number of DAYs", ""},
    {"SELECT INTERVAL '1' DAYZ", &kSyntaxError, 1, 21, "time unit", "'DAY'"},
    {"SELECT X'0'", &kInvalidLiteral, 1, 8, "hexadecimal", ""},
    {"SELECT 123456789012345678901234567890123456789", &kInvalidLiteral, 1, 8, "more than 38 digits", ""},
    {"SELECT (1 + 2 FROM tx", &kSyntaxError, 1, 15, "expected ')'", ""},
    {"SELECT CASE id WHEN 1 THEN 2", &kSyntaxError, 1, 29, "END of the CASE", ""},
    {"SELECT id IS 5 FROM tx", &kSyntaxError, 1, 14, "[NOT] NULL", ""},
    {"SELECT (SELECT 1) FROM tx", &kUnsupportedSyntax, 1, 8, "subquery as a value", ""},
    {"SELECT id FROM tx WHERE id IN (SELECT id FROM plain)", &kUnsupportedSyntax, 1, 28, "IN (subquery)", ""},
    {"SELECT id FROM tx WHERE EXISTS (SELECT 1)", &kUnsupportedSyntax, 1, 25, "EXISTS", ""},
    // --- aggregates ---
    {"SELECT country, COUNT(*), amount FROM tx GROUP BY country", &kInvalidAggregate, 1, 27, "neither in GROUP BY", ""},
    {"SELECT id FROM tx WHERE COUNT(*) > 1", &kInvalidAggregate, 1, 25, "COUNT can't stand in WHERE", ""},
    {"SELECT id FROM tx HAVING id > 1", &kInvalidAggregate, 1, 29, "HAVING needs GROUP BY", ""},
    {"SELECT SUM(COUNT(*)) FROM tx", &kInvalidAggregate, 1, 12, "the arguments of SUM", ""},
    {"SELECT COUNT(*) FROM tx GROUP BY 1", &kInvalidAggregate, 1, 34, "GROUP BY a constant", ""},
    {"SELECT SUM(*) FROM tx", &kInvalidAggregate, 1, 8, "only for COUNT", ""},
    {"SELECT ABS(DISTINCT id) FROM tx", &kInvalidAggregate, 1, 8, "not an aggregate", ""},
    {"SELECT LAG(id) FROM tx", &kInvalidAggregate, 1, 8, "LAG needs OVER", ""},
    {"SELECT COUNT(*) FROM tx GROUP BY GROUPING SETS ((id))", &kUnsupportedSyntax, 1, 34, "GROUPING SETS", ""},
    {"INSERT INTO sink SELECT id, SUM(amount) FROM tx GROUP BY id", &kChangelogMismatch, 1, 1, "no PRIMARY KEY",
     "PRIMARY KEY"},
    {"SELECT COUNT(*) OVER (ORDER BY ts) FROM (SELECT DISTINCT ts FROM tx)", &kNoTimeAttribute, 1, 32, "", ""},
    // --- windows ---
    {"SELECT * FROM TUMBLE(TABLE tx, DESCRIPTOR(other), INTERVAL '1' DAY)", &kNoTimeAttribute, 1, 43,
     "'other' is not a time attribute", "'ts'"},
    {"SELECT * FROM TUMBLE(TABLE tx, DESCRIPTOR(tss), INTERVAL '1' DAY)", &kColumnNotFound, 1, 43, "'tss'", "'ts'"},
    {"SELECT * FROM TUMBLE(TABLE tx, DESCRIPTOR(ts))", &kWrongArguments, 1, 15, "lacks its argument SIZE", ""},
    {"SELECT * FROM TUMBLE(TABLE tx, DESCRIPTOR(ts), INTERVAL '1' MONTH)", &kInvalidWindow, 1, 48, "SIZE of TUMBLE",
     ""},
    {"SELECT * FROM TUMBLE(TABLE tx, DESCRIPTOR(ts), INTERVAL -'1' DAY)", &kInvalidWindow, 1, 48, "positive", ""},
    {"SELECT * FROM TUMBLE(DATA => TABLE tx, TIMECOLL => DESCRIPTOR(ts), SIZE => INTERVAL '1' DAY)", &kWrongArguments,
     1, 40, "'TIMECOLL'", "'TIMECOL'"},
    {"SELECT * FROM CUMULATE(TABLE tx, DESCRIPTOR(ts), INTERVAL '2' HOUR, INTERVAL '3' HOUR)", &kInvalidWindow, 1, 69,
     "multiple", ""},
    {"SELECT * FROM TUMBL(TABLE tx, DESCRIPTOR(ts), INTERVAL '1' DAY)", &kNoSuchFunction, 1, 15, "'TUMBL'", "'TUMBLE'"},
    {"SELECT COUNT(*) FROM SESSION(TABLE tx, DESCRIPTOR(ts), INTERVAL '1' DAY) GROUP BY id, window_start, window_end",
     &kInvalidWindow, 1, 74, "PARTITION BY of SESSION", ""},
    {"SELECT TUMBLE_START(ts, INTERVAL '2' DAY) FROM tx GROUP BY TUMBLE(ts, INTERVAL '1' DAY)", &kInvalidWindow, 1, 8,
     "other arguments", ""},
    {"SELECT COUNT(*) FROM tx GROUP BY TUMBLE(other, INTERVAL '1' DAY)", &kNoTimeAttribute, 1, 41, "event time", ""},
    {"SELECT COUNT(*) OVER (PARTITION BY id) FROM tx", &kInvalidWindow, 1, 17, "ORDER BY the event time", ""},
    {"SELECT COUNT(*) OVER (ORDER BY id) FROM tx", &kNoTimeAttribute, 1, 32, "ORDER BY id", "'ts'"},
    {"SELECT COUNT(*) OVER (ORDER BY ts DESC) FROM tx", &kUnsupportedSyntax, 1, 32, "DESC", ""},
    {"SELECT COUNT(*) OVER w FROM tx WINDOW v AS (ORDER BY ts)", &kInvalidWindow, 1, 22, "'w' not found", ""},
    {"SELECT COUNT(*) OVER (ORDER BY ts ROWS BETWEEN 1 PRECEDING AND 1 FOLLOWING) FROM tx", &kInvalidWindow, 1, 35,
     "CURRENT ROW", ""},
    {"SELECT COUNT(*) OVER (ORDER BY ts RANGE 5 PRECEDING) FROM tx", &kInvalidWindow, 1, 41, "INTERVAL", ""},
    {"SELECT id FROM tx WHERE COUNT(*) OVER (ORDER BY ts) > 1", &kInvalidAggregate, 1, 25, "OVER can't stand in WHERE",
     ""},
    {"SELECT ABS(id) OVER (ORDER BY ts) FROM tx", &kInvalidAggregate, 1, 8, "not an aggregate", ""},
    // --- joins, unions ---
    {"SELECT * FROM tx JOIN plain ON tx.id = plain.id", &kUnsupportedSyntax, 1, 18,
     "JOIN without FOR SYSTEM_TIME AS OF", ""},
    {"SELECT * FROM tx, plain", &kUnsupportedSyntax, 1, 17, "join by comma", ""},
    {"SELECT * FROM tx JOIN plain FOR SYSTEM_TIME AS OF tx.ts ON tx.id = plain.id", &kInvalidJoin, 1, 23,
     "no PRIMARY KEY", ""},
    {"SELECT * FROM tx JOIN profiles FOR SYSTEM_TIME AS OF tx.ts AS p ON tx.id = p.id", &kInvalidJoin, 1, 74, "'zone'",
     ""},
    {"SELECT * FROM tx JOIN profiles FOR SYSTEM_TIME AS OF tx.other AS p ON tx.id = p.id", &kNoTimeAttribute, 1, 54,
     "left side", ""},
    {"SELECT * FROM tx RIGHT JOIN profiles FOR SYSTEM_TIME AS OF tx.ts ON tx.id = profiles.id", &kInvalidJoin, 1, 18,
     "RIGHT JOIN", ""},
    {"SELECT id FROM tx UNION SELECT id FROM plain", &kUnsupportedSyntax, 1, 19, "UNION without ALL", ""},
    {"SELECT id FROM tx UNION ALL SELECT id, name FROM plain", &kTypeMismatch, 1, 29, "1 and 2 columns", ""},
    {"SELECT r FROM tx UNION ALL SELECT id FROM plain", &kTypeMismatch, 1, 28, "column 1 ('r')", ""},
    {"SELECT id FROM tx EXCEPT SELECT id FROM plain", &kUnsupportedSyntax, 1, 19, "EXCEPT", ""},
    {"SELECT id FROM tx ORDER BY id", &kUnsupportedSyntax, 1, 19, "ORDER BY", ""},
    {"SELECT id FROM tx LIMIT 5", &kUnsupportedSyntax, 1, 19, "LIMIT", ""},
    {"SELECT * FROM tx MATCH_RECOGNIZE (PATTERN (A))", &kUnsupportedSyntax, 1, 18, "MATCH_RECOGNIZE", ""},
    {"SELECT * FROM UNNEST(ARRAY[1])", &kUnsupportedSyntax, 1, 15, "UNNEST", ""},
    {"SELECT * FROM tx /*+ LOOKUP('a' = 'b') */", &kUnsupportedSyntax, 1, 22, "hint LOOKUP", ""},
    {"VALUES (1, 2), (3)", &kTypeMismatch, 1, 17, "1 values", ""},
    // --- INSERT ---
    {"INSERT INTO nope SELECT 1", &kTableNotFound, 1, 13, "'nope'", ""},
    {"INSERT INTO v SELECT 1", &kInvalidInsert, 1, 13, "is a view", ""},
    {"INSERT INTO sink SELECT id FROM tx", &kInvalidInsert, 1, 18, "takes 2 columns, the query gives 1", ""},
    {"INSERT INTO sink\nSELECT id, country FROM tx", &kInvalidInsert, 2, 12,
     "column 'amount' of 'sink' is DOUBLE, found STRING", "CAST"},
    {"INSERT INTO sink (id, amunt) SELECT 1, 2", &kColumnNotFound, 1, 23, "'amunt'", "'amount'"},
    {"INSERT INTO sink (amount) SELECT 2", &kInvalidInsert, 1, 13, "'id' of 'sink' is NOT NULL", ""},
    {"INSERT INTO sink (id, twice) SELECT 1, 2", &kInvalidInsert, 1, 23, "computed", ""},
    {"INSERT INTO sink (id, id) SELECT 1, 2", &kInvalidInsert, 1, 23, "stands twice", ""},
    {"INSERT OVERWRITE sink SELECT 1, 2", &kUnsupportedSyntax, 1, 8, "INSERT OVERWRITE", ""},
    // --- models ---
    {"SELECT * FROM ML_PREDICT(TABLE tx, MODEL mm, DESCRIPTOR(amount, country))", &kModelNotFound, 1, 42, "'mm'", ""},
    {"SELECT * FROM ML_PREDICT(TABLE tx, MODEL m, DESCRIPTOR(amount))", &kModelMismatch, 1, 45,
     "takes 2 inputs, DESCRIPTOR names 1", ""},
    {"SELECT * FROM ML_PREDICT(TABLE tx, MODEL m, DESCRIPTOR(country, country))", &kTypeMismatch, 1, 56,
     "input 'a' of model 'm' is DOUBLE", ""},
    {"SELECT * FROM ML_PREDICT(TABLE tx, MODEL m, DESCRIPTOR(amount, country), MAP['asyn', 'x'])", &kUnknownOption, 1,
     78, "'asyn'", "'async'"},
    {"SELECT * FROM ML_PREDICT(TABLE tx, MODEL m, DESCRIPTOR(amount, country), MAP['timeout', 'x'])", &kInvalidOption,
     1, 89, "timeout", ""},
    {"SELECT * FROM ML_PREDICT(TABLE tx, DESCRIPTOR(amount, country))", &kWrongArguments, 1, 15,
     "lacks its argument ARGS", ""},
};

TEST(ErrorPositions, Table) {
  for (const Case& c : kCases) {
    SCOPED_TRACE(c.sql);
    TestEnvironment environment;
    Planner planner(environment);
    Result<std::vector<PlannedStatement>> tables = planner.Plan("tables.sql", kTables, {});
    ASSERT_TRUE(tables.ok()) << RenderError(tables.status(), kTables);
    Result<std::vector<PlannedStatement>> planned = planner.Plan("t.sql", c.sql, {{"file", "x"}});
    if (planned.ok()) {
      ADD_FAILURE() << "no error";
      continue;
    }
    const Status& status = planned.status();
    EXPECT_EQ(status.code().number, c.code->number) << status.ToString();
    ASSERT_TRUE(status.position().has_value()) << status.ToString();
    EXPECT_EQ(status.position()->file, "t.sql");
    EXPECT_EQ(status.position()->line, c.line) << status.ToString();
    EXPECT_EQ(status.position()->column, c.column) << status.ToString();
    EXPECT_NE(status.message().find(c.message), std::string::npos) << status.ToString();
    EXPECT_NE(status.hint().find(c.hint), std::string::npos) << status.ToString() << " hint: " << status.hint();
  }
}

TEST(ErrorPositions, RenderedAsTheInterfaceShows) {
  TestEnvironment environment;
  Planner planner(environment);
  const std::string sql =
      "CREATE TABLE transactions (card_id BIGINT, amount DOUBLE, merchant STRING, ts TIMESTAMP(3), "
      "WATERMARK FOR ts AS ts - INTERVAL '5' SECOND) WITH ('connector' = 'print');\n"
      "SELECT card_id,\n"
      "  SUM(amout) OVER (PARTITION BY card_id ORDER BY ts) AS spend_5m\n"
      "FROM transactions;\n";
  Result<std::vector<PlannedStatement>> planned = planner.Plan("fraud.sql", sql, {});
  ASSERT_FALSE(planned.ok());
  const std::string text = RenderError(planned.status(), sql);
  EXPECT_NE(text.find("error[TM2104]: column 'amout' not found in 'transactions'"), std::string::npos) << text;
  EXPECT_NE(text.find("--> fraud.sql:3:7"), std::string::npos) << text;
  EXPECT_NE(text.find("did you mean 'amount'?"), std::string::npos) << text;
  EXPECT_NE(text.find("columns: card_id, amount, merchant, ts (event time, watermark ts - INTERVAL '5' SECOND)"),
            std::string::npos)
      << text;
}

TEST(ErrorPositions, AnErrorInAViewKeepsTheViewsPlace) {
  TestEnvironment environment;
  Planner planner(environment);
  ASSERT_TRUE(planner
                  .Plan("a.sql",
                        "CREATE TABLE t (a INT) WITH ('connector' = 'print');\nCREATE VIEW v AS\n  SELECT a FROM t;",
                        {})
                  .ok());
  ASSERT_TRUE(planner.Plan("b.sql", "DROP TABLE t; CREATE TABLE t (b INT) WITH ('connector' = 'print')", {}).ok());
  Result<std::vector<PlannedStatement>> planned = planner.Plan("c.sql", "SELECT * FROM v", {});
  ASSERT_FALSE(planned.ok());
  EXPECT_EQ(planned.status().position()->file, "a.sql");
  EXPECT_EQ(planned.status().position()->line, 3);
  EXPECT_EQ(planned.status().position()->column, 10);
}

}  // namespace
}  // namespace tidemill
