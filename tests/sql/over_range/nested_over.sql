-- OVER of OVER: the time stays a time attribute.
CREATE TABLE t (k STRING, v INT, ts TIMESTAMP(3), WATERMARK FOR ts AS ts - INTERVAL '5' SECOND) WITH ('connector' = 'rows');

-- input t
{"k": "a", "v": 1, "ts": "2026-01-01 00:00:00"}
{"k": "a", "v": 2, "ts": "2026-01-01 00:00:10"}
{"k": "b", "v": 3, "ts": "2026-01-01 00:00:11"}
{"k": "a", "v": 4, "ts": "2026-01-01 00:00:20"}
{"k": "b", "v": 5, "ts": "2026-01-01 00:00:21"}

SELECT k, v, n, MAX(n) OVER (ORDER BY ts RANGE BETWEEN INTERVAL '15' SECOND PRECEDING AND CURRENT ROW) AS top FROM (
  SELECT k, v, ts, COUNT(*) OVER (PARTITION BY k ORDER BY ts RANGE BETWEEN INTERVAL '1' MINUTE PRECEDING AND CURRENT ROW) AS n FROM t
);
-- duckdb: SELECT k, v, n, max(n) OVER (ORDER BY ts RANGE BETWEEN INTERVAL 15 SECOND PRECEDING AND CURRENT ROW) AS top FROM (
--   SELECT k, v, ts, count(*) OVER (PARTITION BY k ORDER BY ts RANGE BETWEEN INTERVAL 1 MINUTE PRECEDING AND CURRENT ROW) AS n FROM t)

-- expect
{"k":"a","v":1,"n":1,"top":1}
{"k":"a","v":2,"n":2,"top":2}
{"k":"a","v":4,"n":3,"top":3}
{"k":"b","v":3,"n":1,"top":2}
{"k":"b","v":5,"n":2,"top":3}
