-- One row, one window, at the end of the input.
CREATE TABLE t (k STRING, v INT, ts TIMESTAMP(3), WATERMARK FOR ts AS ts - INTERVAL '5' SECOND) WITH ('connector' = 'rows');

-- input t
{"k": "a", "v": 1, "ts": "2026-01-01 00:00:30"}

SELECT k, window_time, COUNT(*) AS n FROM TUMBLE(TABLE t, DESCRIPTOR(ts), INTERVAL '1' MINUTE) GROUP BY k, window_start, window_end, window_time;
-- duckdb: SELECT k, tumble_start(ts, 60) + INTERVAL 59999 MILLISECOND AS window_time, count(*) AS n FROM t GROUP BY ALL

-- expect
{"k":"a","window_time":"2026-01-01 00:00:59.999","n":1}
