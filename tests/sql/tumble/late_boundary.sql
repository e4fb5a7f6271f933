-- A window has fired once the watermark is its last millisecond; from then on its rows are late.
CREATE TABLE t (k STRING, v INT, ts TIMESTAMP(3), WATERMARK FOR ts AS ts) WITH ('connector' = 'rows');

-- input t
{"k": "a", "v": 1, "ts": "2026-01-01 00:00:30"}
{"k": "a", "v": 2, "ts": "2026-01-01 00:00:59.998"}
{"k": "a", "v": 4, "ts": "2026-01-01 00:00:10"}
{"k": "a", "v": 8, "ts": "2026-01-01 00:00:59.999"}
{"k": "a", "v": 16, "ts": "2026-01-01 00:00:50"}
{"k": "a", "v": 32, "ts": "2026-01-01 00:01:00"}

SELECT window_start, SUM(v) AS s, COUNT(*) AS n FROM TUMBLE(TABLE t, DESCRIPTOR(ts), INTERVAL '1' MINUTE) GROUP BY window_start, window_end;
-- v = 4 comes with the watermark at 59.998: the window is open and takes it. v = 16 comes with 59.999 = window_end - 1 ms: late.
-- duckdb: SELECT tumble_start(ts, 60) AS window_start, sum(v) AS s, count(*) AS n FROM t WHERE v <> 16 GROUP BY ALL

-- expect
{"window_start":"2026-01-01 00:00:00","s":15,"n":4}
{"window_start":"2026-01-01 00:01:00","s":32,"n":1}
-- rejected late 1
