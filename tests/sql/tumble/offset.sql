-- Windows that begin 15 s after the minute; a negative offset that is congruent gives the same ones.
CREATE TABLE t (k STRING, v INT, ts TIMESTAMP(3), WATERMARK FOR ts AS ts - INTERVAL '5' SECOND) WITH ('connector' = 'rows');

-- input t
{"k": "a", "v": 1, "ts": "2026-01-01 00:00:14.999"}
{"k": "a", "v": 2, "ts": "2026-01-01 00:00:15"}
{"k": "a", "v": 4, "ts": "2026-01-01 00:01:14.999"}
{"k": "a", "v": 8, "ts": "2026-01-01 00:01:15"}

SELECT window_start, window_end, SUM(v) AS s FROM TUMBLE(TABLE t, DESCRIPTOR(ts), INTERVAL '1' MINUTE, INTERVAL '15' SECOND) GROUP BY window_start, window_end;
-- duckdb: SELECT tumble_start(ts, 60, off := 15) AS window_start, tumble_start(ts, 60, off := 15) + INTERVAL 1 MINUTE AS window_end, sum(v) AS s FROM t GROUP BY ALL

-- expect
{"window_start":"2025-12-31 23:59:15","window_end":"2026-01-01 00:00:15","s":1}
{"window_start":"2026-01-01 00:00:15","window_end":"2026-01-01 00:01:15","s":6}
{"window_start":"2026-01-01 00:01:15","window_end":"2026-01-01 00:02:15","s":8}
