-- HAVING over windows that slide.
CREATE TABLE t (k STRING, v INT, ts TIMESTAMP(3), WATERMARK FOR ts AS ts - INTERVAL '5' SECOND) WITH ('connector' = 'rows');

-- input t
{"k": "a", "v": 1, "ts": "2026-01-01 00:00:10"}
{"k": "a", "v": 2, "ts": "2026-01-01 00:00:40"}
{"k": "b", "v": 4, "ts": "2026-01-01 00:00:50"}
{"k": "a", "v": 8, "ts": "2026-01-01 00:01:20"}

SELECT k, window_start, COUNT(*) AS n FROM HOP(TABLE t, DESCRIPTOR(ts), INTERVAL '30' SECOND, INTERVAL '1' MINUTE) GROUP BY k, window_start, window_end HAVING COUNT(*) >= 2;
-- duckdb: SELECT k, w AS window_start, count(*) AS n FROM (SELECT *, unnest(hop_starts(ts, 30, 60)) AS w FROM t) GROUP BY ALL HAVING count(*) >= 2

-- expect
{"k":"a","window_start":"2026-01-01 00:00:00","n":2}
{"k":"a","window_start":"2026-01-01 00:00:30","n":2}
