-- A huge number that has left the frame leaves nothing behind.
CREATE TABLE t (k STRING, d DOUBLE, ts TIMESTAMP(3), WATERMARK FOR ts AS ts - INTERVAL '5' SECOND) WITH ('connector' = 'rows');

-- input t
{"k": "a", "d": 1e18, "ts": "2026-01-01 00:00:00"}
{"k": "a", "d": 0.5, "ts": "2026-01-01 00:00:01"}
{"k": "a", "d": 0.25, "ts": "2026-01-01 00:00:10"}
{"k": "a", "d": 0.125, "ts": "2026-01-01 00:00:11"}

SELECT ts, SUM(d) OVER (PARTITION BY k ORDER BY ts RANGE BETWEEN INTERVAL '5' SECOND PRECEDING AND CURRENT ROW) AS s FROM t;
-- duckdb: SELECT ts, sum(d) OVER (PARTITION BY k ORDER BY ts RANGE BETWEEN INTERVAL 5 SECOND PRECEDING AND CURRENT ROW) AS s FROM t

-- expect
{"ts":"2026-01-01 00:00:00","s":1e+18}
{"ts":"2026-01-01 00:00:01","s":1e+18}
{"ts":"2026-01-01 00:00:10","s":0.25}
{"ts":"2026-01-01 00:00:11","s":0.375}
