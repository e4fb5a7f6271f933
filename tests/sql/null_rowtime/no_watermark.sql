-- Without a WATERMARK a NULL is a value like others.
CREATE TABLE t (v INT, ts TIMESTAMP(3)) WITH ('connector' = 'rows');

-- input t
{"v": 1, "ts": null}
{"v": 2, "ts": "2026-01-01 00:00:01"}

SELECT v, ts FROM t;
-- duckdb: SELECT v, ts FROM t

-- expect
{"v":1,"ts":null}
{"v":2,"ts":"2026-01-01 00:00:01"}
