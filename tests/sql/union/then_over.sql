-- OVER over a UNION ALL of two streams: the watermark is the lower one, so nothing is late.
CREATE TABLE t (k STRING, v INT, ts TIMESTAMP(3), WATERMARK FOR ts AS ts - INTERVAL '1' SECOND) WITH ('connector' = 'rows');
CREATE TABLE u (k STRING, v INT, ts TIMESTAMP(3), WATERMARK FOR ts AS ts - INTERVAL '1' SECOND) WITH ('connector' = 'rows');

-- input t
{"k": "a", "v": 1, "ts": "2026-01-01 00:00:01"}
{"k": "b", "v": 2, "ts": "2026-01-01 00:00:30"}
{"k": "a", "v": 4, "ts": "2026-01-01 00:02:00"}
-- input u
{"k": "a", "v": 8, "ts": "2026-01-01 00:00:00"}
{"k": "a", "v": 16, "ts": "2026-01-01 00:00:59"}
{"k": "b", "v": 32, "ts": "2026-01-01 00:01:31"}

SELECT k, v, SUM(v) OVER (PARTITION BY k ORDER BY ts RANGE BETWEEN INTERVAL '1' MINUTE PRECEDING AND CURRENT ROW) AS s
FROM (SELECT k, v, ts FROM t UNION ALL SELECT k, v, ts FROM u);
-- duckdb: SELECT k, v, sum(v) OVER (PARTITION BY k ORDER BY ts RANGE BETWEEN INTERVAL 1 MINUTE PRECEDING AND CURRENT ROW) AS s
--   FROM (SELECT k, v, ts FROM t UNION ALL SELECT k, v, ts FROM u)

-- expect
{"k":"a","v":1,"s":9}
{"k":"a","v":16,"s":25}
{"k":"a","v":4,"s":4}
{"k":"a","v":8,"s":8}
{"k":"b","v":2,"s":2}
{"k":"b","v":32,"s":32}
