-- Rows of a table and constant ones.
CREATE TABLE t (a INT, s STRING) WITH ('connector' = 'rows');

-- input t
{"a": 1, "s": "x"}

SELECT a, s FROM t UNION ALL VALUES (2, 'y'), (3, NULL);
-- duckdb: SELECT a, s FROM t UNION ALL VALUES (2, 'y'), (3, NULL)

-- expect
{"a":1,"s":"x"}
{"a":2,"s":"y"}
{"a":3,"s":null}
