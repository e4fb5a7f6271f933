-- The watermark is the lower one of the partitions: what one partition reads early makes nothing of the other late.
CREATE TABLE t (k STRING, v INT, ts TIMESTAMP(3), WATERMARK FOR ts AS ts) WITH ('connector' = 'rows');

-- input t
{"k": "a", "v": 1, "ts": "2026-01-01 01:00:00"}
{"k": "a", "v": 2, "ts": "2026-01-01 02:00:00"}
-- split
{"k": "a", "v": 4, "ts": "2026-01-01 00:00:10"}
{"k": "a", "v": 8, "ts": "2026-01-01 00:30:00"}
{"k": "a", "v": 16, "ts": "2026-01-01 01:30:00"}

SELECT v, SUM(v) OVER (PARTITION BY k ORDER BY ts) AS s FROM t;
-- duckdb: SELECT v, sum(v) OVER (PARTITION BY k ORDER BY ts) AS s FROM t

-- expect
{"v":1,"s":13}
{"v":16,"s":29}
{"v":2,"s":31}
{"v":4,"s":4}
{"v":8,"s":12}
