-- A query of a query of a query.
CREATE TABLE t (a INT, s STRING) WITH ('connector' = 'rows');

-- input t
{"a": 1, "s": "x"}
{"a": 2, "s": "y"}
{"a": 3, "s": "z"}
{"a": null, "s": "w"}

SELECT b * 2 AS c, u FROM (SELECT a + 1 AS b, UPPER(s) AS u FROM (SELECT * FROM t WHERE a < 3) AS q1) AS q2 WHERE b > 2;
-- duckdb: SELECT b * 2 AS c, u FROM (SELECT a + 1 AS b, upper(s) AS u FROM (SELECT * FROM t WHERE a < 3) AS q1) AS q2 WHERE b > 2

-- expect
{"c":6,"u":"Y"}
