-- The same table under two names in one UNION ALL: each row twice.
CREATE TABLE t (a INT) WITH ('connector' = 'rows');

-- input t
{"a": 1}
{"a": 2}

SELECT x.a AS b, 'x' AS w FROM t AS x UNION ALL SELECT y.a + 10, 'y' FROM t AS y WHERE y.a > 1;
-- duckdb: SELECT x.a AS b, 'x' AS w FROM t AS x UNION ALL SELECT y.a + 10, 'y' FROM t AS y WHERE y.a > 1

-- expect
{"b":1,"w":"x"}
{"b":12,"w":"y"}
{"b":2,"w":"x"}
