-- A watermark that a column decides: NULL does not move it, and a lower one does not either.
CREATE TABLE t (v INT, mark INT, ts TIMESTAMP(3), WATERMARK FOR ts AS CASE WHEN mark IS NOT NULL THEN ts - INTERVAL '1' SECOND * mark END) WITH ('connector' = 'rows');

-- input t
{"v": 1, "mark": null, "ts": "2026-01-01 00:01:00"}
{"v": 2, "mark": 10, "ts": "2026-01-01 00:00:30"}
{"v": 4, "mark": null, "ts": "2026-01-01 00:00:21"}
{"v": 8, "mark": 20, "ts": "2026-01-01 00:00:40"}
{"v": 16, "mark": null, "ts": "2026-01-01 00:00:20"}
{"v": 32, "mark": null, "ts": "2026-01-01 00:00:20.001"}

SELECT v, SUM(v) OVER (ORDER BY ts) AS s FROM t;
-- Row 2 sets the watermark to 20 s; row 8 would say the same. So only 20 s itself is late (v = 16).
-- duckdb: SELECT v, sum(v) OVER (ORDER BY ts) AS s FROM t WHERE v <> 16

-- expect
{"v":1,"s":47}
{"v":2,"s":38}
{"v":32,"s":32}
{"v":4,"s":36}
{"v":8,"s":46}
-- rejected late 1
