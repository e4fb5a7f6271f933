-- Thirty days.
CREATE TABLE t (k STRING, v INT, ts TIMESTAMP(3), WATERMARK FOR ts AS ts - INTERVAL '5' SECOND) WITH ('connector' = 'rows');

-- input t
{"k": "a", "v": 1, "ts": "2026-01-01 00:00:00"}
{"k": "a", "v": 2, "ts": "2026-01-31 00:00:00"}
{"k": "a", "v": 4, "ts": "2026-01-31 00:00:00.001"}
{"k": "a", "v": 8, "ts": "2026-03-02 00:00:00"}
{"k": "a", "v": 16, "ts": "2027-01-01 00:00:00"}

SELECT v, SUM(v) OVER (PARTITION BY k ORDER BY ts RANGE BETWEEN INTERVAL '30' DAY PRECEDING AND CURRENT ROW) AS s FROM t;
-- duckdb: SELECT v, sum(v) OVER (PARTITION BY k ORDER BY ts RANGE BETWEEN INTERVAL 30 DAY PRECEDING AND CURRENT ROW) AS s FROM t

-- expect
{"v":1,"s":1}
{"v":16,"s":16}
{"v":2,"s":3}
{"v":4,"s":6}
{"v":8,"s":14}
