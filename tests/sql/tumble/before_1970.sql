-- Windows of negative times go down to their start, not up.
CREATE TABLE t (k STRING, v INT, ts TIMESTAMP(3), WATERMARK FOR ts AS ts - INTERVAL '5' SECOND) WITH ('connector' = 'rows');

-- input t
{"k": "a", "v": 1, "ts": "1969-12-31 23:59:00"}
{"k": "a", "v": 2, "ts": "1969-12-31 23:59:59.999"}
{"k": "a", "v": 4, "ts": "1970-01-01 00:00:00"}
{"k": "a", "v": 8, "ts": "1970-01-01 00:00:30"}

SELECT window_start, SUM(v) AS s, COUNT(*) AS n FROM TUMBLE(TABLE t, DESCRIPTOR(ts), INTERVAL '1' MINUTE) GROUP BY window_start, window_end;
-- duckdb: SELECT tumble_start(ts, 60) AS window_start, sum(v) AS s, count(*) AS n FROM t GROUP BY ALL

-- expect
{"window_start":"1969-12-31 23:59:00","s":3,"n":2}
{"window_start":"1970-01-01 00:00:00","s":12,"n":2}
