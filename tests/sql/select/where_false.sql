-- A condition that is never true.
CREATE TABLE t (a INT) WITH ('connector' = 'rows');

-- input t
{"a": 1}
{"a": 2}

SELECT a FROM t WHERE 1 = 2;
-- duckdb: SELECT a FROM t WHERE 1 = 2

-- expect
