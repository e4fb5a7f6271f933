-- All columns, qualified ones, and an alias of the table.
CREATE TABLE t (a INT, b STRING) WITH ('connector' = 'rows');

-- input t
{"a": 1, "b": "x"}
{"a": 2, "b": "y"}

SELECT q.*, q.a + 1 AS c FROM t AS q WHERE q.b <> 'y';
-- duckdb: SELECT q.a, q.b, q.a + 1 AS c FROM t AS q WHERE q.b <> 'y'

-- expect
{"a":1,"b":"x","c":2}
