-- FILTER, DISTINCT and HAVING.
CREATE TABLE t (k STRING, v INT, ts TIMESTAMP(3), WATERMARK FOR ts AS ts - INTERVAL '5' SECOND) WITH ('connector' = 'rows');

-- input t
{"k": "a", "v": 1, "ts": "2026-01-01 00:00:00"}
{"k": "a", "v": 1, "ts": "2026-01-01 00:00:10"}
{"k": "a", "v": 7, "ts": "2026-01-01 00:00:20"}
{"k": "b", "v": 9, "ts": "2026-01-01 00:00:20"}
{"k": "a", "v": null, "ts": "2026-01-01 00:00:21"}
{"k": "a", "v": 3, "ts": "2026-01-01 00:01:00"}
{"k": "a", "v": 3, "ts": "2026-01-01 00:01:01"}

SELECT k, window_start, COUNT(DISTINCT v) AS d, COUNT(*) FILTER (WHERE v > 5) AS big, SUM(DISTINCT v) AS sd
FROM TUMBLE(TABLE t, DESCRIPTOR(ts), INTERVAL '1' MINUTE) GROUP BY k, window_start, window_end HAVING COUNT(*) > 1;
-- duckdb: SELECT k, tumble_start(ts, 60) AS window_start, count(DISTINCT v) AS d, count(*) FILTER (WHERE v > 5) AS big, sum(DISTINCT v) AS sd FROM t
--   GROUP BY k, tumble_start(ts, 60) HAVING count(*) > 1

-- expect
{"k":"a","window_start":"2026-01-01 00:00:00","d":2,"big":1,"sd":8}
{"k":"a","window_start":"2026-01-01 00:01:00","d":1,"big":0,"sd":3}
