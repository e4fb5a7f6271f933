-- A step as long as the window: the same as TUMBLE. Before 1970.
CREATE TABLE t (k STRING, v INT, ts TIMESTAMP(3), WATERMARK FOR ts AS ts - INTERVAL '5' SECOND) WITH ('connector' = 'rows');

-- input t
{"k": "a", "v": 1, "ts": "1969-12-31 23:58:59"}
{"k": "a", "v": 2, "ts": "1969-12-31 23:59:00"}
{"k": "a", "v": 4, "ts": "1970-01-01 00:00:00"}

SELECT window_start, window_end, SUM(v) AS s FROM CUMULATE(TABLE t, DESCRIPTOR(ts), INTERVAL '1' MINUTE, INTERVAL '1' MINUTE) GROUP BY window_start, window_end;
-- duckdb: SELECT tumble_start(ts, 60) AS window_start, tumble_start(ts, 60) + INTERVAL 1 MINUTE AS window_end, sum(v) AS s FROM t GROUP BY ALL

-- expect
{"window_start":"1969-12-31 23:58:00","window_end":"1969-12-31 23:59:00","s":1}
{"window_start":"1969-12-31 23:59:00","window_end":"1970-01-01 00:00:00","s":2}
{"window_start":"1970-01-01 00:00:00","window_end":"1970-01-01 00:01:00","s":4}
