-- Five minutes, every minute: each row in five windows.
CREATE TABLE t (k STRING, v INT, ts TIMESTAMP(3), WATERMARK FOR ts AS ts - INTERVAL '5' SECOND) WITH ('connector' = 'rows');

-- input t
{"k": "a", "v": 1, "ts": "2026-01-01 00:00:00"}
{"k": "a", "v": 2, "ts": "2026-01-01 00:00:59.999"}
{"k": "b", "v": 4, "ts": "2026-01-01 00:03:00"}
{"k": "a", "v": 8, "ts": "2026-01-01 00:05:00"}

SELECT k, window_start, window_end, SUM(v) AS s FROM HOP(TABLE t, DESCRIPTOR(ts), INTERVAL '1' MINUTE, INTERVAL '5' MINUTE) GROUP BY k, window_start, window_end;
-- duckdb: SELECT k, w AS window_start, w + INTERVAL 5 MINUTE AS window_end, sum(v) AS s FROM (SELECT *, unnest(hop_starts(ts, 60, 300)) AS w FROM t) GROUP BY ALL

-- expect
{"k":"a","window_start":"2025-12-31 23:56:00","window_end":"2026-01-01 00:01:00","s":3}
{"k":"a","window_start":"2025-12-31 23:57:00","window_end":"2026-01-01 00:02:00","s":3}
{"k":"a","window_start":"2025-12-31 23:58:00","window_end":"2026-01-01 00:03:00","s":3}
{"k":"a","window_start":"2025-12-31 23:59:00","window_end":"2026-01-01 00:04:00","s":3}
{"k":"a","window_start":"2026-01-01 00:00:00","window_end":"2026-01-01 00:05:00","s":3}
{"k":"a","window_start":"2026-01-01 00:01:00","window_end":"2026-01-01 00:06:00","s":8}
{"k":"a","window_start":"2026-01-01 00:02:00","window_end":"2026-01-01 00:07:00","s":8}
{"k":"a","window_start":"2026-01-01 00:03:00","window_end":"2026-01-01 00:08:00","s":8}
{"k":"a","window_start":"2026-01-01 00:04:00","window_end":"2026-01-01 00:09:00","s":8}
{"k":"a","window_start":"2026-01-01 00:05:00","window_end":"2026-01-01 00:10:00","s":8}
{"k":"b","window_start":"2025-12-31 23:59:00","window_end":"2026-01-01 00:04:00","s":4}
{"k":"b","window_start":"2026-01-01 00:00:00","window_end":"2026-01-01 00:05:00","s":4}
{"k":"b","window_start":"2026-01-01 00:01:00","window_end":"2026-01-01 00:06:00","s":4}
{"k":"b","window_start":"2026-01-01 00:02:00","window_end":"2026-01-01 00:07:00","s":4}
{"k":"b","window_start":"2026-01-01 00:03:00","window_end":"2026-01-01 00:08:00","s":4}
