-- One-minute windows per key; bounds belong to the window that begins there.
CREATE TABLE t (k STRING, v INT, ts TIMESTAMP(3), WATERMARK FOR ts AS ts - INTERVAL '5' SECOND) WITH ('connector' = 'rows');

-- input t
{"k": "a", "v": 1, "ts": "2026-01-01 00:00:00"}
{"k": "a", "v": 2, "ts": "2026-01-01 00:00:59.999"}
{"k": "a", "v": 4, "ts": "2026-01-01 00:01:00"}
{"k": "b", "v": 8, "ts": "2026-01-01 00:00:30"}
{"k": "a", "v": 16, "ts": "2026-01-01 00:02:30"}
{"k": "b", "v": 32, "ts": "2026-01-01 00:02:00"}

SELECT k, window_start, window_end, COUNT(*) AS n, SUM(v) AS s FROM TUMBLE(TABLE t, DESCRIPTOR(ts), INTERVAL '1' MINUTE) GROUP BY k, window_start, window_end;
-- duckdb: SELECT k, tumble_start(ts, 60) AS window_start, tumble_start(ts, 60) + INTERVAL 1 MINUTE AS window_end, count(*) AS n, sum(v) AS s FROM t GROUP BY ALL

-- expect
{"k":"a","window_start":"2026-01-01 00:00:00","window_end":"2026-01-01 00:01:00","n":2,"s":3}
{"k":"a","window_start":"2026-01-01 00:01:00","window_end":"2026-01-01 00:02:00","n":1,"s":4}
{"k":"a","window_start":"2026-01-01 00:02:00","window_end":"2026-01-01 00:03:00","n":1,"s":16}
{"k":"b","window_start":"2026-01-01 00:00:00","window_end":"2026-01-01 00:01:00","n":1,"s":8}
{"k":"b","window_start":"2026-01-01 00:02:00","window_end":"2026-01-01 00:03:00","n":1,"s":32}
