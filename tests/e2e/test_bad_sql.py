"""SQL with each kind of error: `tidemill check` names code, file:line:column and what is wrong, and `tidemill run` starts nothing.

Statements over `t` stand below its definition, on line 2. Columns count characters from 1.
"""
import json
import re

import pytest

T = "CREATE TABLE t (a BIGINT, b STRING, ts TIMESTAMP(3), WATERMARK FOR ts AS ts) WITH ('connector' = 'datagen');\n"
SINK = "CREATE TABLE x (a BIGINT) WITH ('connector' = 'blackhole'); "
X = "CREATE TABLE x (a INT) WITH ('connector' = "

# kind: (statement, code, line:column, in the error)
ERRORS = {
    # lexer
    "string_without_end": ("SELECT 'open;", "TM2001", "1:8", "string without its closing quote"),
    "comment_without_end": ("SELECT 1 /* open", "TM2001", "1:10", "comment without its end '*/'"),
    "name_without_end": ("SELECT `a;", "TM2001", "1:8", "name without its closing backtick"),
    "number_with_letters": ("SELECT 12abc;", "TM2001", "1:8", "neither a number nor a name"),
    "control_character": ("SELECT 1, \x01;", "TM2001", "1:11", "unexpected byte 0x01"),
    # parser
    "misspelt_keyword": ("SELECT * FORM (VALUES (1));", "TM2001", "1:10", "did you mean 'FROM'?"),
    "end_of_script": ("SELECT 1 +", "TM2001", "1:11", "found the end of the script"),
    "open_parenthesis": ("SELECT (1 + 2;", "TM2001", "1:14", "expected ')', found ';'"),
    "no_statement": ("hello", "TM2001", "1:1", "expected a statement"),
    "set_without_end": (T + "EXECUTE STATEMENT SET BEGIN INSERT INTO t SELECT a, b, ts FROM t;", "TM2001", "2:66", "expected INSERT or END"),
    "select_in_a_set": ("EXECUTE STATEMENT SET BEGIN SELECT 1; END;", "TM2001", "1:29", "expected INSERT or END, found 'SELECT'"),
    "unknown_type": ("CREATE TABLE x (a INTT) WITH ('connector' = 'blackhole');", "TM2001", "1:19", "did you mean 'INT'?"),
    # names
    "unknown_table": (T + "SELECT * FROM tt;", "TM2101", "2:15", "did you mean 't'?"),
    "unknown_sink": (T + "INSERT INTO nowhere SELECT a FROM t;", "TM2101", "2:13", "'nowhere' not found"),
    "unknown_column": (T + "SELECT a,\n  amout FROM t;", "TM2104", "3:3", "columns: a, b, ts (event time"),
    "unknown_column_in_group_by": (T + "SELECT COUNT(*) FROM t GROUP BY zz;", "TM2104", "2:33", "column 'zz' not found"),
    "column_after_umlauts": (T + "SELECT 'ünï', cöl FROM t;", "TM2104", "2:15", "column 'cöl' not found"),
    "alias_in_where": (T + "SELECT a AS z FROM t WHERE z = 1;", "TM2104", "2:28", "column 'z' not found"),
    "unknown_function": ("SELECT UPER('a');", "TM1400", "1:8", "did you mean 'UPPER'?"),
    "unknown_model": (T + "SELECT * FROM ML_PREDICT(TABLE t, MODEL m, DESCRIPTOR(a));", "TM2102", "2:41", "model 'm' not found"),
    "unknown_window": (T + "SELECT SUM(a) OVER w FROM t;", "TM2108", "2:20", "declare it: WINDOW w AS (...)"),
    "unknown_drop": ("DROP TABLE nothere;", "TM2101", "1:12", "table 'nothere' not found"),
    # types
    "too_few_arguments": ("SELECT UPPER();", "TM1401", "1:8", "usage: UPPER(text STRING) -> STRING"),
    "argument_of_another_type": ("SELECT UPPER(1);", "TM1401", "1:8", "given (INT)"),
    "number_and_boolean": (T + "SELECT a + TRUE FROM t;", "TM1401", "2:10", "given (BIGINT, BOOLEAN)"),
    "number_and_text": (T + "SELECT a FROM t WHERE a = b;", "TM1401", "2:25", "comparable types"),
    "where_is_a_number": (T + "SELECT a FROM t WHERE a;", "TM2106", "2:23", "WHERE must be BOOLEAN, found BIGINT"),
    "case_of_two_types": ("SELECT CASE WHEN TRUE THEN 'x' ELSE 2 END;", "TM2106", "1:37", "STRING and INT have no common type"),
    "impossible_cast": ("SELECT CAST(TRUE AS TIMESTAMP(3));", "TM2106", "1:8", "can't be cast"),
    "union_of_two_types": (T + "SELECT a FROM t UNION ALL SELECT b FROM t;", "TM2106", "2:27", "is BIGINT and STRING"),
    "union_of_two_widths": (T + "SELECT a FROM t UNION ALL SELECT a, b FROM t;", "TM2106", "2:27", "of 1 and 2 columns"),
    "insert_of_another_type": (T + SINK + "INSERT INTO x SELECT b FROM t;", "TM2115", "2:82", "CAST(... AS BIGINT) makes it fit"),
    "insert_of_another_width": (T + SINK + "INSERT INTO x SELECT a, b FROM t;", "TM2115", "2:75", "takes 1 columns, the query gives 2"),
    # values
    "no_such_month": ("SELECT TIMESTAMP '2026-13-01 00:00:00';", "TM2118", "1:8", "is not a TIMESTAMP"),
    "interval_of_letters": ("SELECT INTERVAL 'x' DAY;", "TM2118", "1:8", "is not a number of DAYs"),
    "interval_of_fortnights": ("SELECT INTERVAL '1' FORTNIGHT;", "TM2001", "1:21", "expected a time unit"),
    "too_many_digits": (f"SELECT {'9' * 41};", "TM2118", "1:8", "more than 38 digits"),
    # definitions
    "table_twice": (T + "CREATE TABLE t (a INT) WITH ('connector' = 'datagen');", "TM2103", "2:14", "'t' already exists"),
    "view_of_a_tables_name": (T + "CREATE VIEW t AS SELECT 1 AS a;", "TM2103", "2:13", "'t' already exists"),
    "column_twice": ("CREATE TABLE x (a INT, b INT, a INT) WITH ('connector' = 'datagen');", "TM2103", "1:31", "stands twice"),
    "computed_in_a_circle": ("CREATE TABLE x (a AS b + 1, b AS a + 1) WITH ('connector' = 'datagen');", "TM2104", "1:22", "'b' not found"),
    "key_of_no_column": ("CREATE TABLE x (a INT, PRIMARY KEY (b) NOT ENFORCED) WITH ('connector' = 'datagen');", "TM2104", "1:37", "'b' not found"),
    "watermark_on_text": ("CREATE TABLE x (ts STRING, WATERMARK FOR ts AS ts) WITH ('connector' = 'datagen');", "TM2116", "1:42", "'ts' is STRING"),
    "watermark_on_microseconds": ("CREATE TABLE x (ts TIMESTAMP(6), WATERMARK FOR ts AS ts) WITH ('connector' = 'datagen');", "TM2116", "1:48", "'ts' is TIMESTAMP(6)"),
    "watermark_on_no_column": ("CREATE TABLE x (a INT, WATERMARK FOR ts AS ts) WITH ('connector' = 'datagen');", "TM2104", "1:38", "'ts' not found"),
    "watermark_of_text": ("CREATE TABLE x (ts TIMESTAMP(3), WATERMARK FOR ts AS 'x') WITH ('connector' = 'datagen');", "TM2116", "1:54", "found STRING"),
    "two_watermarks": ("CREATE TABLE x (ts TIMESTAMP(3), WATERMARK FOR ts AS ts, WATERMARK FOR ts AS ts) WITH ('connector' = 'datagen');", "TM2116", "1:58", "one WATERMARK"),
    # options
    "unknown_connector": (X + "'kafak');", "TM2114", "1:44", "connectors: blackhole, datagen"),
    "no_connector": ("CREATE TABLE x (a INT) WITH ('path' = 'x');", "TM2113", "1:14", "has no 'connector'"),
    "unknown_option": (X + "'filesystem', 'path' = 'x', 'formt' = 'json');", "TM2112", "1:82", "did you mean 'format'?"),
    "missing_option": (X + "'filesystem'); SELECT a FROM x;", "TM2113", "1:14", "needs option 'path'"),
    "option_twice": (X + "'datagen', 'connector' = 'print');", "TM2111", "1:55", "stands twice"),
    "option_no_number": (X + "'datagen', 'rows-per-second' = 'many'); SELECT a FROM x;", "TM2111", "1:75", "expected a number above 0"),
    "option_no_choice": (X + "'tidemill-log', 'topic' = 'x', 'format' = 'json', 'scan.startup.mode' = 'now'); SELECT a FROM x;", "TM2111", "1:116", "not one of earliest-offset, latest-offset"),
    "unknown_format": (X + "'filesystem', 'path' = 'x', 'format' = 'jsn'); SELECT a FROM x;", "TM1101", "1:83", "did you mean 'json'?"),
    "unknown_metadata": ("CREATE TABLE x (p INT METADATA FROM 'partitionn') WITH ('connector' = 'tidemill-log', 'topic' = 'x', 'format' = 'json'); SELECT p FROM x;", "TM2111", "1:14", "did you mean 'partition'?"),
    "source_as_sink": (T + "INSERT INTO t SELECT a, b, ts FROM t;", "TM2111", "1:98", "can't be written to"),
    "unknown_setting": ("SET 'paralellism' = '2';", "TM2112", "1:5", "there is no setting 'paralellism'"),
    "setting_no_choice": ("SET 'table.exec.over.emit' = 'sometimes';", "TM2111", "1:30", "expected one of on-watermark, on-arrival"),
    "missing_variable": ("SELECT 1;\nSELECT '${nam}';", "TM2002", "2:9", "give it with -D nam=..."),
    # aggregates, windows, joins
    "column_outside_group_by": (T + "SELECT a, COUNT(*) FROM t GROUP BY b;", "TM2107", "2:8", "neither in GROUP BY"),
    "aggregate_in_where": (T + "SELECT a FROM t WHERE SUM(a) > 1;", "TM2107", "2:23", "can't stand in WHERE"),
    "aggregate_of_an_aggregate": (T + "SELECT SUM(COUNT(*)) FROM t;", "TM2107", "2:12", "can't stand in the arguments of SUM"),
    "window_over_no_time": (T + "SELECT COUNT(*) FROM TUMBLE(TABLE t, DESCRIPTOR(a), INTERVAL '1' MINUTE) GROUP BY window_start, window_end;", "TM2109", "2:49", "the event time is 'ts'"),
    "window_of_negative_size": (T + "SELECT COUNT(*) FROM TUMBLE(TABLE t, DESCRIPTOR(ts), INTERVAL '-1' MINUTE) GROUP BY window_start, window_end;", "TM2108", "2:54", "positive INTERVAL"),
    "over_in_no_order_of_time": (T + "SELECT SUM(a) OVER (PARTITION BY b ORDER BY a) FROM t;", "TM2109", "2:45", "is not the event time"),
    "over_range_of_a_number": (T + "SELECT SUM(a) OVER (ORDER BY ts RANGE BETWEEN 5 PRECEDING AND CURRENT ROW) FROM t;", "TM2108", "2:47", "RANGE takes a constant INTERVAL"),
    "temporal_join_without_key": (T + "SELECT x.a FROM t AS x LEFT JOIN t FOR SYSTEM_TIME AS OF x.ts AS y ON x.a = y.a;", "TM2110", "2:34", "'t' has no PRIMARY KEY"),
    # what is not there yet
    "regular_join": (T + "SELECT x.a FROM t AS x JOIN t AS y ON x.a = y.a;", "TM2003", "2:24", "JOIN without FOR SYSTEM_TIME AS OF is not supported"),
    "order_by": (T + "SELECT a FROM t ORDER BY a;", "TM2003", "2:17", "ORDER BY of a query is not supported"),
    "alter_table": (T + "ALTER TABLE t ADD c INT;", "TM2003", "2:1", "ALTER is not supported"),
    "over_descending": (T + "SELECT SUM(a) OVER (ORDER BY ts DESC) FROM t;", "TM2003", "2:30", "is not supported"),
}


@pytest.mark.parametrize("text, code, place, shown", ERRORS.values(), ids=ERRORS)
def test_wrong_sql_has_code_and_place(tm, text, code, place, shown):
    script = tm.script("wrong.sql", text + "\n")
    done = tm.run("check", script, code=3, data=False)
    lines = done.stderr.splitlines()
    assert lines[0].startswith(f"error[{code}]: "), done.stderr
    assert lines[1].strip() == f"--> {script}:{place}", done.stderr
    assert shown in done.stderr, done.stderr
    assert lines[-1] == "1 error", done.stderr
    # The caret stands under that column of that line.
    line, column = map(int, place.split(":"))
    assert lines[2] == f"{line} | " + re.sub("[\x00-\x08\x0b-\x1f]", "?", text.splitlines()[line - 1])
    assert lines[3].index("^") == len(f"{line} | ") + column - 1
    ran = tm.run("run", script, code=3)
    assert ran.stdout == "" and ran.stderr.startswith(lines[0]) and not tm.data.exists()


def test_the_place_for_a_program(tm):
    script = tm.script("wrong.sql", T + "SELECT a,\n  amout FROM t;\n")
    (found,) = [json.loads(line) for line in tm.run("check", script, "--output", "json", code=3, data=False).stdout.splitlines()]
    assert (found["code"], found["file"], found["line"], found["column"]) == ("TM2104", str(script), 3, 3)
