-- One, two and three rows and all of them.
CREATE TABLE t (k STRING, v INT, ts TIMESTAMP(3), WATERMARK FOR ts AS ts - INTERVAL '5' SECOND) WITH ('connector' = 'rows');

-- input t
{"k": "a", "v": 1, "ts": "2026-01-01 00:00:01"}
{"k": "a", "v": 2, "ts": "2026-01-01 00:00:02"}
{"k": "a", "v": 4, "ts": "2026-01-01 00:00:03"}
{"k": "a", "v": 8, "ts": "2026-01-01 00:00:04"}
{"k": "a", "v": 16, "ts": "2026-01-01 00:00:05"}

SELECT v, SUM(v) OVER (PARTITION BY k ORDER BY ts ROWS BETWEEN 1 PRECEDING AND CURRENT ROW) AS s1,
  SUM(v) OVER (PARTITION BY k ORDER BY ts ROWS BETWEEN 2 PRECEDING AND CURRENT ROW) AS s2,
  MAX(v) OVER (PARTITION BY k ORDER BY ts ROWS BETWEEN 1 PRECEDING AND CURRENT ROW) AS m1,
  SUM(v) OVER (PARTITION BY k ORDER BY ts ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW) AS s FROM t;
-- duckdb: SELECT v, sum(v) OVER (ORDER BY ts ROWS BETWEEN 1 PRECEDING AND CURRENT ROW) AS s1, sum(v) OVER (ORDER BY ts ROWS BETWEEN 2 PRECEDING AND CURRENT ROW) AS s2,
--   max(v) OVER (ORDER BY ts ROWS BETWEEN 1 PRECEDING AND CURRENT ROW) AS m1, sum(v) OVER (ORDER BY ts ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW) AS s FROM t

-- expect
{"v":1,"s1":1,"s2":1,"m1":1,"s":1}
{"v":16,"s1":24,"s2":28,"m1":16,"s":31}
{"v":2,"s1":3,"s2":3,"m1":2,"s":3}
{"v":4,"s1":6,"s2":7,"m1":4,"s":7}
{"v":8,"s1":12,"s2":14,"m1":8,"s":15}
