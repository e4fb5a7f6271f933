-- No rows.
CREATE TABLE t (a INT, s STRING) WITH ('connector' = 'rows');

SELECT a + 1 AS b, UPPER(s) AS u FROM t;
-- duckdb: SELECT a + 1 AS b, upper(s) AS u FROM t

-- expect
