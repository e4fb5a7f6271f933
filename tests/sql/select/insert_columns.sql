-- INSERT into some columns, in another order; the others are NULL. Values are cast to wider types.
CREATE TABLE t (a INT, s STRING) WITH ('connector' = 'rows');
CREATE TABLE o (x BIGINT, y STRING, z DOUBLE) WITH ('connector' = 'rows');

-- input t
{"a": 1, "s": "x"}
{"a": null, "s": "y"}

INSERT INTO o (z, x) SELECT a, a + 1 FROM t;
-- duckdb o: SELECT CAST(a + 1 AS BIGINT) AS x, CAST(NULL AS VARCHAR) AS y, CAST(a AS DOUBLE) AS z FROM t

-- expect o
{"x":2,"y":null,"z":1}
{"x":null,"y":null,"z":null}
