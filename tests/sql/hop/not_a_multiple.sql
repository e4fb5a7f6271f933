-- A size that is no multiple of the slide: rows are in one or two windows.
CREATE TABLE t (k STRING, v INT, ts TIMESTAMP(3), WATERMARK FOR ts AS ts - INTERVAL '5' SECOND) WITH ('connector' = 'rows');

-- input t
{"k": "a", "v": 1, "ts": "2026-01-01 00:00:00"}
{"k": "a", "v": 2, "ts": "2026-01-01 00:00:20"}
{"k": "a", "v": 4, "ts": "2026-01-01 00:00:50"}
{"k": "a", "v": 8, "ts": "2026-01-01 00:01:10"}
{"k": "a", "v": 16, "ts": "2026-01-01 00:01:29.999"}
{"k": "a", "v": 32, "ts": "2026-01-01 00:01:30"}

SELECT window_start, window_end, SUM(v) AS s FROM HOP(TABLE t, DESCRIPTOR(ts), INTERVAL '1' MINUTE, INTERVAL '90' SECOND) GROUP BY window_start, window_end;
-- duckdb: SELECT w AS window_start, w + INTERVAL 90 SECOND AS window_end, sum(v) AS s FROM (SELECT *, unnest(hop_starts(ts, 60, 90)) AS w FROM t) GROUP BY ALL

-- expect
{"window_start":"2025-12-31 23:59:00","window_end":"2026-01-01 00:00:30","s":3}
{"window_start":"2026-01-01 00:00:00","window_end":"2026-01-01 00:01:30","s":31}
{"window_start":"2026-01-01 00:01:00","window_end":"2026-01-01 00:02:30","s":56}
