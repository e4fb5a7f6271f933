-- The watermark is the table's: a window of a key that had no rows yet has fired too.
CREATE TABLE t (k STRING, v INT, ts TIMESTAMP(3), WATERMARK FOR ts AS ts) WITH ('connector' = 'rows');

-- input t
{"k": "a", "v": 1, "ts": "2026-01-01 00:00:30"}
{"k": "a", "v": 2, "ts": "2026-01-01 00:02:00"}
{"k": "b", "v": 4, "ts": "2026-01-01 00:00:40"}
{"k": "b", "v": 8, "ts": "2026-01-01 00:02:30"}

SELECT k, window_start, SUM(v) AS s FROM TUMBLE(TABLE t, DESCRIPTOR(ts), INTERVAL '1' MINUTE) GROUP BY k, window_start, window_end;
-- duckdb: SELECT k, tumble_start(ts, 60) AS window_start, sum(v) AS s FROM t WHERE v <> 4 GROUP BY ALL

-- expect
{"k":"a","window_start":"2026-01-01 00:00:00","s":1}
{"k":"a","window_start":"2026-01-01 00:02:00","s":2}
{"k":"b","window_start":"2026-01-01 00:02:00","s":8}
-- rejected late 1
