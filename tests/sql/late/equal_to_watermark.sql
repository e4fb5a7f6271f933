-- WATERMARK FOR ts AS ts: a row of the same time as the newest is late (sql.md: "a row equal to the max is late").
CREATE TABLE t (k STRING, v INT, ts TIMESTAMP(3), WATERMARK FOR ts AS ts) WITH ('connector' = 'rows');

-- input t
{"k": "a", "v": 1, "ts": "2026-01-01 00:00:10"}
{"k": "a", "v": 2, "ts": "2026-01-01 00:00:10"}
{"k": "a", "v": 4, "ts": "2026-01-01 00:00:09.999"}
{"k": "a", "v": 8, "ts": "2026-01-01 00:00:10.001"}

SELECT v, SUM(v) OVER (PARTITION BY k ORDER BY ts) AS s FROM t;
-- duckdb: SELECT v, sum(v) OVER (PARTITION BY k ORDER BY ts) AS s FROM t WHERE v NOT IN (2, 4)

-- expect
{"v":1,"s":1}
{"v":8,"s":9}
-- rejected late 2
