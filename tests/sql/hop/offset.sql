-- HOP with an offset of 30 s.
CREATE TABLE t (k STRING, v INT, ts TIMESTAMP(3), WATERMARK FOR ts AS ts - INTERVAL '5' SECOND) WITH ('connector' = 'rows');

-- input t
{"k": "a", "v": 1, "ts": "2026-01-01 00:00:29.999"}
{"k": "a", "v": 2, "ts": "2026-01-01 00:00:30"}
{"k": "a", "v": 4, "ts": "2026-01-01 00:02:29.999"}
{"k": "a", "v": 8, "ts": "2026-01-01 00:02:30"}

SELECT window_start, window_end, SUM(v) AS s FROM HOP(TABLE t, DESCRIPTOR(ts), INTERVAL '1' MINUTE, INTERVAL '2' MINUTE, INTERVAL '30' SECOND) GROUP BY window_start, window_end;
-- duckdb: SELECT w AS window_start, w + INTERVAL 2 MINUTE AS window_end, sum(v) AS s FROM (SELECT *, unnest(hop_starts(ts, 60, 120, off := 30)) AS w FROM t) GROUP BY ALL

-- expect
{"window_start":"2025-12-31 23:58:30","window_end":"2026-01-01 00:00:30","s":1}
{"window_start":"2025-12-31 23:59:30","window_end":"2026-01-01 00:01:30","s":3}
{"window_start":"2026-01-01 00:00:30","window_end":"2026-01-01 00:02:30","s":6}
{"window_start":"2026-01-01 00:01:30","window_end":"2026-01-01 00:03:30","s":12}
{"window_start":"2026-01-01 00:02:30","window_end":"2026-01-01 00:04:30","s":8}
