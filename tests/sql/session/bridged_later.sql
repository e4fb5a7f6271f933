-- Two sessions that a later row joins.
CREATE TABLE t (k STRING, v INT, ts TIMESTAMP(3), WATERMARK FOR ts AS ts - INTERVAL '1' MINUTE) WITH ('connector' = 'rows');

-- input t
{"k": "a", "v": 1, "ts": "2026-01-01 00:00:00"}
{"k": "a", "v": 2, "ts": "2026-01-01 00:00:15"}
{"k": "a", "v": 4, "ts": "2026-01-01 00:00:08"}
{"k": "a", "v": 8, "ts": "2026-01-01 00:00:40"}
{"k": "a", "v": 16, "ts": "2026-01-01 00:00:31"}

SELECT k, window_start, window_end, SUM(v) AS s, COUNT(*) AS n FROM SESSION(TABLE t PARTITION BY k, DESCRIPTOR(ts), INTERVAL '10' SECOND) GROUP BY k, window_start, window_end;
-- duckdb: SELECT k, min(ts) AS window_start, max(ts) + INTERVAL 10 SECOND AS window_end, sum(v) AS s, count(*) AS n FROM (SELECT *, sum(CAST(n AS INT)) OVER (PARTITION BY k ORDER BY ts) AS g
--   FROM (SELECT *, coalesce(ts - lag(ts) OVER (PARTITION BY k ORDER BY ts) > INTERVAL 10 SECOND, true) AS n FROM t)) GROUP BY k, g

-- expect
{"k":"a","window_start":"2026-01-01 00:00:00","window_end":"2026-01-01 00:00:25","s":7,"n":3}
{"k":"a","window_start":"2026-01-01 00:00:31","window_end":"2026-01-01 00:00:50","s":24,"n":2}
