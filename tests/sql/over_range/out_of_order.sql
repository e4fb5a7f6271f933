-- Rows out of order, within the watermark's delay, count where their time says.
CREATE TABLE t (k STRING, v INT, ts TIMESTAMP(3), WATERMARK FOR ts AS ts - INTERVAL '5' SECOND) WITH ('connector' = 'rows');

-- input t
{"k": "a", "v": 1, "ts": "2026-01-01 00:00:10"}
{"k": "a", "v": 2, "ts": "2026-01-01 00:00:08"}
{"k": "a", "v": 4, "ts": "2026-01-01 00:00:06"}
{"k": "a", "v": 8, "ts": "2026-01-01 00:00:12"}
{"k": "a", "v": 16, "ts": "2026-01-01 00:00:09"}
{"k": "a", "v": 32, "ts": "2026-01-01 00:00:20"}
{"k": "a", "v": 64, "ts": "2026-01-01 00:00:16"}

SELECT v, SUM(v) OVER (PARTITION BY k ORDER BY ts RANGE BETWEEN INTERVAL '4' SECOND PRECEDING AND CURRENT ROW) AS s FROM t;
-- duckdb: SELECT v, sum(v) OVER (PARTITION BY k ORDER BY ts RANGE BETWEEN INTERVAL 4 SECOND PRECEDING AND CURRENT ROW) AS s FROM t

-- expect
{"v":1,"s":23}
{"v":16,"s":22}
{"v":2,"s":6}
{"v":32,"s":96}
{"v":4,"s":4}
{"v":64,"s":72}
{"v":8,"s":27}
