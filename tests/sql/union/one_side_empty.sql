-- A side without rows.
CREATE TABLE t (a INT) WITH ('connector' = 'rows');
CREATE TABLE u (a INT) WITH ('connector' = 'rows');

-- input u
{"a": 3}

SELECT a FROM t UNION ALL SELECT a FROM u;
-- duckdb: SELECT a FROM t UNION ALL SELECT a FROM u

-- expect
{"a":3}
