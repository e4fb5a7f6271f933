-- No aggregate: each row with its window.
CREATE TABLE t (k STRING, v INT, ts TIMESTAMP(3), WATERMARK FOR ts AS ts - INTERVAL '5' SECOND) WITH ('connector' = 'rows');

-- input t
{"k": "a", "v": 1, "ts": "2026-01-01 00:00:10"}
{"k": "b", "v": 2, "ts": "2026-01-01 00:01:00"}

SELECT k, v, window_start, window_end, window_time FROM TUMBLE(TABLE t, DESCRIPTOR(ts), INTERVAL '1' MINUTE);
-- duckdb: SELECT k, v, tumble_start(ts, 60) AS window_start, tumble_start(ts, 60) + INTERVAL 1 MINUTE AS window_end,
--   tumble_start(ts, 60) + INTERVAL 59999 MILLISECOND AS window_time FROM t

-- expect
{"k":"a","v":1,"window_start":"2026-01-01 00:00:00","window_end":"2026-01-01 00:01:00","window_time":"2026-01-01 00:00:59.999"}
{"k":"b","v":2,"window_start":"2026-01-01 00:01:00","window_end":"2026-01-01 00:02:00","window_time":"2026-01-01 00:01:59.999"}
