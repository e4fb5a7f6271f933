-- Steps of a minute up to five: windows that grow, and values that repeat where nothing new comes.
CREATE TABLE t (k STRING, v INT, ts TIMESTAMP(3), WATERMARK FOR ts AS ts - INTERVAL '5' SECOND) WITH ('connector' = 'rows');

-- input t
{"k": "a", "v": 1, "ts": "2026-01-01 00:00:00"}
{"k": "a", "v": 2, "ts": "2026-01-01 00:01:30"}
{"k": "b", "v": 4, "ts": "2026-01-01 00:03:00"}
{"k": "a", "v": 8, "ts": "2026-01-01 00:04:59.999"}
{"k": "a", "v": 16, "ts": "2026-01-01 00:05:00"}

SELECT k, window_start, window_end, SUM(v) AS s, COUNT(*) AS n FROM CUMULATE(TABLE t, DESCRIPTOR(ts), INTERVAL '1' MINUTE, INTERVAL '5' MINUTE)
GROUP BY k, window_start, window_end;
-- duckdb: SELECT k, tumble_start(ts, 300) AS window_start, e AS window_end, sum(v) AS s, count(*) AS n FROM (SELECT *, unnest(cumulate_ends(ts, 60, 300)) AS e FROM t)
--   GROUP BY k, tumble_start(ts, 300), e

-- expect
{"k":"a","window_start":"2026-01-01 00:00:00","window_end":"2026-01-01 00:01:00","s":1,"n":1}
{"k":"a","window_start":"2026-01-01 00:00:00","window_end":"2026-01-01 00:02:00","s":3,"n":2}
{"k":"a","window_start":"2026-01-01 00:00:00","window_end":"2026-01-01 00:03:00","s":3,"n":2}
{"k":"a","window_start":"2026-01-01 00:00:00","window_end":"2026-01-01 00:04:00","s":3,"n":2}
{"k":"a","window_start":"2026-01-01 00:00:00","window_end":"2026-01-01 00:05:00","s":11,"n":3}
{"k":"a","window_start":"2026-01-01 00:05:00","window_end":"2026-01-01 00:06:00","s":16,"n":1}
{"k":"a","window_start":"2026-01-01 00:05:00","window_end":"2026-01-01 00:07:00","s":16,"n":1}
{"k":"a","window_start":"2026-01-01 00:05:00","window_end":"2026-01-01 00:08:00","s":16,"n":1}
{"k":"a","window_start":"2026-01-01 00:05:00","window_end":"2026-01-01 00:09:00","s":16,"n":1}
{"k":"a","window_start":"2026-01-01 00:05:00","window_end":"2026-01-01 00:10:00","s":16,"n":1}
{"k":"b","window_start":"2026-01-01 00:00:00","window_end":"2026-01-01 00:04:00","s":4,"n":1}
{"k":"b","window_start":"2026-01-01 00:00:00","window_end":"2026-01-01 00:05:00","s":4,"n":1}
