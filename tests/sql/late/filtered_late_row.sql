-- A row that WHERE leaves out is never counted as late.
CREATE TABLE t (k STRING, v INT, ts TIMESTAMP(3), WATERMARK FOR ts AS ts) WITH ('connector' = 'rows');

-- input t
{"k": "a", "v": 1, "ts": "2026-01-01 00:00:30"}
{"k": "a", "v": -1, "ts": "2026-01-01 00:00:10"}
{"k": "a", "v": 4, "ts": "2026-01-01 00:00:40"}

SELECT v, SUM(v) OVER (PARTITION BY k ORDER BY ts) AS s FROM t WHERE v > 0;
-- duckdb: SELECT v, sum(v) OVER (PARTITION BY k ORDER BY ts) AS s FROM t WHERE v > 0

-- expect
{"v":1,"s":1}
{"v":4,"s":5}
