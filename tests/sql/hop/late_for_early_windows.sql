-- A row that is late for the early windows still counts in the open ones; only one that is late for all is refused.
CREATE TABLE t (k STRING, v INT, ts TIMESTAMP(3), WATERMARK FOR ts AS ts) WITH ('connector' = 'rows');

-- input t
{"k": "a", "v": 1, "ts": "2026-01-01 00:00:30"}
{"k": "a", "v": 2, "ts": "2026-01-01 00:01:10"}
{"k": "a", "v": 4, "ts": "2026-01-01 00:00:50"}
{"k": "a", "v": 8, "ts": "2026-01-01 00:03:00"}
{"k": "a", "v": 16, "ts": "2026-01-01 00:00:59"}
{"k": "a", "v": 32, "ts": "2026-01-01 00:01:30"}

SELECT window_start, window_end, SUM(v) AS s FROM HOP(TABLE t, DESCRIPTOR(ts), INTERVAL '1' MINUTE, INTERVAL '2' MINUTE) GROUP BY window_start, window_end;
-- v = 4 at 00:00:50 comes at watermark 00:01:10: [23:59, 00:01) has fired without it, [00:00, 00:02) is open and takes it. At watermark 00:03:00
-- all windows up to [00:01, 00:03) have fired: v = 16 (last window [00:00, 00:02)) and v = 32 (last window [00:01, 00:03)) are late.
-- duckdb: SELECT w AS window_start, w + INTERVAL 2 MINUTE AS window_end, sum(v) AS s FROM (SELECT *, unnest(hop_starts(ts, 60, 120)) AS w FROM t WHERE v < 16)
--   WHERE NOT (v = 4 AND w < TIMESTAMP '2026-01-01 00:00:00') GROUP BY ALL

-- expect
{"window_start":"2025-12-31 23:59:00","window_end":"2026-01-01 00:01:00","s":1}
{"window_start":"2026-01-01 00:00:00","window_end":"2026-01-01 00:02:00","s":7}
{"window_start":"2026-01-01 00:01:00","window_end":"2026-01-01 00:03:00","s":2}
{"window_start":"2026-01-01 00:02:00","window_end":"2026-01-01 00:04:00","s":8}
{"window_start":"2026-01-01 00:03:00","window_end":"2026-01-01 00:05:00","s":8}
-- rejected late 2
