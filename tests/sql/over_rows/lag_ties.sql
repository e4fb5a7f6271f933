-- LAG among rows of the same time goes by arrival.
CREATE TABLE t (k STRING, v INT, ts TIMESTAMP(3), WATERMARK FOR ts AS ts - INTERVAL '5' SECOND) WITH ('connector' = 'rows');

-- input t
{"k": "a", "v": 1, "ts": "2026-01-01 00:00:02"}
{"k": "a", "v": 2, "ts": "2026-01-01 00:00:02"}
{"k": "a", "v": 3, "ts": "2026-01-01 00:00:01"}
{"k": "a", "v": 4, "ts": "2026-01-01 00:00:02"}

SELECT v, LAG(v) OVER (PARTITION BY k ORDER BY ts) AS before FROM t;
-- duckdb: SELECT v, lag(v) OVER (PARTITION BY k ORDER BY ts, _i) AS before FROM t

-- expect
{"v":1,"before":3}
{"v":2,"before":1}
{"v":3,"before":null}
{"v":4,"before":2}
