-- A condition over the whole union, and one on a side.
CREATE TABLE t (a INT) WITH ('connector' = 'rows');

-- input t
{"a": 1}
{"a": 2}
{"a": 3}
{"a": 4}

SELECT x, src FROM (SELECT a AS x, 't' AS src FROM t WHERE a > 1 UNION ALL SELECT a * 10, 'u' FROM t) WHERE x < 30;
-- duckdb: SELECT x, src FROM (SELECT a AS x, 't' AS src FROM t WHERE a > 1 UNION ALL SELECT a * 10, 'u' FROM t) WHERE x < 30

-- expect
{"x":10,"src":"u"}
{"x":2,"src":"t"}
{"x":20,"src":"u"}
{"x":3,"src":"t"}
{"x":4,"src":"t"}
