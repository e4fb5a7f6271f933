-- FROM TABLE(TUMBLE(...)) and named arguments.
CREATE TABLE t (k STRING, v INT, ts TIMESTAMP(3), WATERMARK FOR ts AS ts - INTERVAL '5' SECOND) WITH ('connector' = 'rows');

-- input t
{"k": "a", "v": 1, "ts": "2026-01-01 00:00:10"}
{"k": "a", "v": 2, "ts": "2026-01-01 00:05:00"}
{"k": "b", "v": 4, "ts": "2026-01-01 00:09:59.999"}

SELECT window_start, SUM(v) AS s FROM TABLE(TUMBLE(DATA => TABLE t, TIMECOL => DESCRIPTOR(ts), SIZE => INTERVAL '5' MINUTE)) GROUP BY window_start, window_end;
-- duckdb: SELECT tumble_start(ts, 300) AS window_start, sum(v) AS s FROM t GROUP BY ALL

-- expect
{"window_start":"2026-01-01 00:00:00","s":1}
{"window_start":"2026-01-01 00:05:00","s":6}
