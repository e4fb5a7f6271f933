-- GROUP BY TUMBLE(...) with its start and end.
CREATE TABLE t (k STRING, v INT, ts TIMESTAMP(3), WATERMARK FOR ts AS ts - INTERVAL '5' SECOND) WITH ('connector' = 'rows');

-- input t
{"k": "a", "v": 1, "ts": "2026-01-01 00:00:10"}
{"k": "a", "v": 2, "ts": "2026-01-01 00:00:59.999"}
{"k": "b", "v": 4, "ts": "2026-01-01 00:01:00"}

SELECT k, TUMBLE_START(ts, INTERVAL '1' MINUTE) AS b, TUMBLE_END(ts, INTERVAL '1' MINUTE) AS e, SUM(v) AS s FROM t GROUP BY k, TUMBLE(ts, INTERVAL '1' MINUTE);
-- duckdb: SELECT k, tumble_start(ts, 60) AS b, tumble_start(ts, 60) + INTERVAL 1 MINUTE AS e, sum(v) AS s FROM t GROUP BY ALL

-- expect
{"k":"a","b":"2026-01-01 00:00:00","e":"2026-01-01 00:01:00","s":3}
{"k":"b","b":"2026-01-01 00:01:00","e":"2026-01-01 00:02:00","s":4}
