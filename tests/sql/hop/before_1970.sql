-- Windows across 1970.
CREATE TABLE t (k STRING, v INT, ts TIMESTAMP(3), WATERMARK FOR ts AS ts - INTERVAL '5' SECOND) WITH ('connector' = 'rows');

-- input t
{"k": "a", "v": 1, "ts": "1969-12-31 23:59:30"}
{"k": "a", "v": 2, "ts": "1970-01-01 00:00:00"}
{"k": "a", "v": 4, "ts": "1970-01-01 00:00:59.999"}

SELECT window_start, SUM(v) AS s FROM HOP(TABLE t, DESCRIPTOR(ts), INTERVAL '30' SECOND, INTERVAL '1' MINUTE) GROUP BY window_start, window_end;
-- duckdb: SELECT w AS window_start, sum(v) AS s FROM (SELECT *, unnest(hop_starts(ts, 30, 60)) AS w FROM t) GROUP BY ALL

-- expect
{"window_start":"1969-12-31 23:59:00","s":1}
{"window_start":"1969-12-31 23:59:30","s":3}
{"window_start":"1970-01-01 00:00:00","s":6}
{"window_start":"1970-01-01 00:00:30","s":4}
