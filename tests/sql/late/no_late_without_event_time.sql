-- A query that does not use the event time refuses no row for it.
CREATE TABLE t (k STRING, v INT, ts TIMESTAMP(3), WATERMARK FOR ts AS ts) WITH ('connector' = 'rows');

-- input t
{"k": "a", "v": 1, "ts": "2026-01-01 00:01:00"}
{"k": "a", "v": 2, "ts": "2026-01-01 00:00:01"}
{"k": "a", "v": 4, "ts": "2026-01-01 00:01:00"}

SELECT v FROM t;
-- duckdb: SELECT v FROM t

-- expect
{"v":1}
{"v":2}
{"v":4}
