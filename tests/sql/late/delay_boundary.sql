-- With 5 s the watermark stands at 15 s after a row of 20 s: 15 s is late, a millisecond more is not.
CREATE TABLE t (k STRING, v INT, ts TIMESTAMP(3), WATERMARK FOR ts AS ts - INTERVAL '5' SECOND) WITH ('connector' = 'rows');

-- input t
{"k": "a", "v": 1, "ts": "2026-01-01 00:00:20"}
{"k": "a", "v": 2, "ts": "2026-01-01 00:00:15"}
{"k": "a", "v": 4, "ts": "2026-01-01 00:00:15.001"}
{"k": "a", "v": 8, "ts": "2026-01-01 00:00:21"}
{"k": "a", "v": 16, "ts": "2026-01-01 00:00:16"}
{"k": "a", "v": 32, "ts": "2026-01-01 00:00:16.001"}

SELECT v, SUM(v) OVER (PARTITION BY k ORDER BY ts) AS s FROM t;
-- duckdb: SELECT v, sum(v) OVER (PARTITION BY k ORDER BY ts) AS s FROM t WHERE v NOT IN (2, 16)

-- expect
{"v":1,"s":37}
{"v":32,"s":36}
{"v":4,"s":4}
{"v":8,"s":45}
-- rejected late 2
