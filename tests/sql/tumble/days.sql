-- Days, across a month and a leap day.
CREATE TABLE t (k STRING, v INT, ts TIMESTAMP(3), WATERMARK FOR ts AS ts - INTERVAL '5' SECOND) WITH ('connector' = 'rows');

-- input t
{"k": "a", "v": 1, "ts": "2024-02-28 23:59:59.999"}
{"k": "a", "v": 2, "ts": "2024-02-29 00:00:00"}
{"k": "a", "v": 4, "ts": "2024-02-29 23:59:59"}
{"k": "a", "v": 8, "ts": "2024-03-01 00:00:00"}

SELECT window_start, SUM(v) AS s FROM TUMBLE(TABLE t, DESCRIPTOR(ts), INTERVAL '1' DAY) GROUP BY window_start, window_end;
-- duckdb: SELECT tumble_start(ts, 86400) AS window_start, sum(v) AS s FROM t GROUP BY ALL

-- expect
{"window_start":"2024-02-28 00:00:00","s":1}
{"window_start":"2024-02-29 00:00:00","s":6}
{"window_start":"2024-03-01 00:00:00","s":8}
