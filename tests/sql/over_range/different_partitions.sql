-- Two OVER with different keys in one SELECT.
CREATE TABLE t (a INT, b STRING, v INT, ts TIMESTAMP(3), WATERMARK FOR ts AS ts - INTERVAL '5' SECOND) WITH ('connector' = 'rows');

-- input t
{"a": 1, "b": "x", "v": 1, "ts": "2026-01-01 00:00:00"}
{"a": 2, "b": "x", "v": 2, "ts": "2026-01-01 00:00:01"}
{"a": 1, "b": "y", "v": 4, "ts": "2026-01-01 00:00:02"}
{"a": 2, "b": "y", "v": 8, "ts": "2026-01-01 00:00:03"}
{"a": 1, "b": "x", "v": 16, "ts": "2026-01-01 00:00:04"}

SELECT v, SUM(v) OVER (PARTITION BY a ORDER BY ts RANGE BETWEEN INTERVAL '1' HOUR PRECEDING AND CURRENT ROW) AS sa,
  SUM(v) OVER (PARTITION BY b ORDER BY ts RANGE BETWEEN INTERVAL '2' SECOND PRECEDING AND CURRENT ROW) AS sb FROM t;
-- duckdb: SELECT v, sum(v) OVER (PARTITION BY a ORDER BY ts RANGE BETWEEN INTERVAL 1 HOUR PRECEDING AND CURRENT ROW) AS sa,
--   sum(v) OVER (PARTITION BY b ORDER BY ts RANGE BETWEEN INTERVAL 2 SECOND PRECEDING AND CURRENT ROW) AS sb FROM t

-- expect
{"v":1,"sa":1,"sb":1}
{"v":16,"sa":21,"sb":16}
{"v":2,"sa":2,"sb":3}
{"v":4,"sa":5,"sb":4}
{"v":8,"sa":10,"sb":12}
