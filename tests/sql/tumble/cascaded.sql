-- Windows of windows: minutes, then five minutes over their window_time.
CREATE TABLE t (k STRING, v INT, ts TIMESTAMP(3), WATERMARK FOR ts AS ts - INTERVAL '5' SECOND) WITH ('connector' = 'rows');

-- input t
{"k": "a", "v": 1, "ts": "2026-01-01 00:00:10"}
{"k": "a", "v": 2, "ts": "2026-01-01 00:00:50"}
{"k": "b", "v": 4, "ts": "2026-01-01 00:01:10"}
{"k": "a", "v": 8, "ts": "2026-01-01 00:04:59.999"}
{"k": "a", "v": 16, "ts": "2026-01-01 00:05:00"}

SELECT window_start, window_end, COUNT(*) AS groups, MAX(n) AS most, SUM(s) AS s FROM TUMBLE(
  TABLE (SELECT k, COUNT(*) AS n, SUM(v) AS s, window_time AS rt FROM TUMBLE(TABLE t, DESCRIPTOR(ts), INTERVAL '1' MINUTE) GROUP BY k, window_start, window_end, window_time),
  DESCRIPTOR(rt), INTERVAL '5' MINUTE) GROUP BY window_start, window_end;
-- duckdb: SELECT tumble_start(m, 300) AS window_start, tumble_start(m, 300) + INTERVAL 5 MINUTE AS window_end, count(*) AS groups, max(n) AS most, sum(s) AS s
--   FROM (SELECT k, tumble_start(ts, 60) AS m, count(*) AS n, sum(v) AS s FROM t GROUP BY ALL) GROUP BY ALL

-- expect
{"window_start":"2026-01-01 00:00:00","window_end":"2026-01-01 00:05:00","groups":3,"most":2,"s":15}
{"window_start":"2026-01-01 00:05:00","window_end":"2026-01-01 00:10:00","groups":1,"most":1,"s":16}
