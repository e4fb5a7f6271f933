-- Literals beside columns.
CREATE TABLE t (a INT) WITH ('connector' = 'rows');

-- input t
{"a": 1}
{"a": null}

SELECT a, 'x' AS s, 1.50 AS c, 2e0 AS d, TRUE AS b, NULL AS n, DATE '2026-02-28' AS dt, TIMESTAMP '1969-12-31 23:59:59.5' AS ts FROM t;
-- duckdb: SELECT a, 'x' AS s, 1.50 AS c, CAST(2 AS DOUBLE) AS d, TRUE AS b, CAST(NULL AS INT) AS n, DATE '2026-02-28' AS dt, TIMESTAMP '1969-12-31 23:59:59.5' AS ts FROM t

-- expect
{"a":1,"s":"x","c":1.50,"d":2,"b":true,"n":null,"dt":"2026-02-28","ts":"1969-12-31 23:59:59.5"}
{"a":null,"s":"x","c":1.50,"d":2,"b":true,"n":null,"dt":"2026-02-28","ts":"1969-12-31 23:59:59.5"}
