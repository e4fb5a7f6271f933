-- With an offset of 20 s.
CREATE TABLE t (k STRING, v INT, ts TIMESTAMP(3), WATERMARK FOR ts AS ts - INTERVAL '5' SECOND) WITH ('connector' = 'rows');

-- input t
{"k": "a", "v": 1, "ts": "2026-01-01 00:00:19.999"}
{"k": "a", "v": 2, "ts": "2026-01-01 00:00:20"}
{"k": "a", "v": 4, "ts": "2026-01-01 00:01:30"}

SELECT window_start, window_end, SUM(v) AS s FROM CUMULATE(TABLE t, DESCRIPTOR(ts), INTERVAL '1' MINUTE, INTERVAL '3' MINUTE, INTERVAL '20' SECOND) GROUP BY window_start, window_end;
-- duckdb: SELECT b AS window_start, e AS window_end, sum(v) AS s FROM (SELECT *, tumble_start(ts, 180, off := 20) AS b, unnest(cumulate_ends(ts, 60, 180, off := 20)) AS e FROM t) GROUP BY ALL

-- expect
{"window_start":"2025-12-31 23:57:20","window_end":"2026-01-01 00:00:20","s":1}
{"window_start":"2026-01-01 00:00:20","window_end":"2026-01-01 00:01:20","s":2}
{"window_start":"2026-01-01 00:00:20","window_end":"2026-01-01 00:02:20","s":6}
{"window_start":"2026-01-01 00:00:20","window_end":"2026-01-01 00:03:20","s":6}
