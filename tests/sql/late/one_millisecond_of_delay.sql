-- With a delay of a millisecond equal times are in time; a millisecond earlier is late.
CREATE TABLE t (k STRING, v INT, ts TIMESTAMP(3), WATERMARK FOR ts AS ts - INTERVAL '0.001' SECOND) WITH ('connector' = 'rows');

-- input t
{"k": "a", "v": 1, "ts": "2026-01-01 00:00:10"}
{"k": "a", "v": 2, "ts": "2026-01-01 00:00:10"}
{"k": "a", "v": 4, "ts": "2026-01-01 00:00:09.999"}
{"k": "a", "v": 8, "ts": "2026-01-01 00:00:10"}

SELECT v, SUM(v) OVER (PARTITION BY k ORDER BY ts) AS s FROM t;
-- duckdb: SELECT v, sum(v) OVER (PARTITION BY k ORDER BY ts) AS s FROM t WHERE v <> 4

-- expect
{"v":1,"s":11}
{"v":2,"s":11}
{"v":8,"s":11}
-- rejected late 1
