-- WHERE keeps only what is TRUE: not FALSE, not NULL.
CREATE TABLE t (a INT, b INT) WITH ('connector' = 'rows');

-- input t
{"a": 1, "b": 1}
{"a": 1, "b": 2}
{"a": null, "b": 1}
{"a": 2, "b": null}
{"a": null, "b": null}

SELECT a, b FROM t WHERE a = b OR a IS NULL AND b > 0;
-- duckdb: SELECT a, b FROM t WHERE a = b OR a IS NULL AND b > 0

-- expect
{"a":1,"b":1}
{"a":null,"b":1}
