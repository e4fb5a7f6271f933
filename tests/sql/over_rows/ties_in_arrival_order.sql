-- ROWS: rows of the same time go one after the other, as they came.
CREATE TABLE t (k STRING, v INT, ts TIMESTAMP(3), WATERMARK FOR ts AS ts - INTERVAL '5' SECOND) WITH ('connector' = 'rows');

-- input t
{"k": "a", "v": 1, "ts": "2026-01-01 00:00:02"}
{"k": "a", "v": 2, "ts": "2026-01-01 00:00:01"}
{"k": "a", "v": 4, "ts": "2026-01-01 00:00:02"}
{"k": "a", "v": 8, "ts": "2026-01-01 00:00:01"}
{"k": "a", "v": 16, "ts": "2026-01-01 00:00:02"}

SELECT v, SUM(v) OVER (PARTITION BY k ORDER BY ts ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW) AS s FROM t;
-- duckdb: SELECT v, sum(v) OVER (PARTITION BY k ORDER BY ts, _i ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW) AS s FROM t

-- expect
{"v":1,"s":11}
{"v":16,"s":31}
{"v":2,"s":2}
{"v":4,"s":15}
{"v":8,"s":10}
