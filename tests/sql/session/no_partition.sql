-- One session of all rows, NULL key, one of them before 1970.
CREATE TABLE t (k STRING, v INT, ts TIMESTAMP(3), WATERMARK FOR ts AS ts - INTERVAL '5' SECOND) WITH ('connector' = 'rows');

-- input t
{"k": "a", "v": 1, "ts": "1969-12-31 23:59:55"}
{"k": null, "v": 2, "ts": "1970-01-01 00:00:03"}
{"k": "b", "v": 4, "ts": "1970-01-01 00:00:20"}

SELECT window_start, window_end, SUM(v) AS s FROM SESSION(TABLE t, DESCRIPTOR(ts), INTERVAL '10' SECOND) GROUP BY window_start, window_end;
-- duckdb: SELECT min(ts) AS window_start, max(ts) + INTERVAL 10 SECOND AS window_end, sum(v) AS s FROM (SELECT *, sum(CAST(n AS INT)) OVER (ORDER BY ts) AS g FROM
--   (SELECT *, coalesce(ts - lag(ts) OVER (ORDER BY ts) > INTERVAL 10 SECOND, true) AS n FROM t)) GROUP BY g

-- expect
{"window_start":"1969-12-31 23:59:55","window_end":"1970-01-01 00:00:13","s":3}
{"window_start":"1970-01-01 00:00:20","window_end":"1970-01-01 00:00:30","s":4}
