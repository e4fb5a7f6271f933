-- A query over the result of OVER: its conditions see all rows of the frame, those of the inner WHERE do not.
CREATE TABLE t (k STRING, v INT, ts TIMESTAMP(3), WATERMARK FOR ts AS ts - INTERVAL '5' SECOND) WITH ('connector' = 'rows');

-- input t
{"k": "a", "v": 1, "ts": "2026-01-01 00:00:00"}
{"k": "a", "v": -1, "ts": "2026-01-01 00:00:01"}
{"k": "a", "v": 2, "ts": "2026-01-01 00:00:02"}
{"k": "a", "v": 3, "ts": "2026-01-01 00:00:03"}
{"k": "b", "v": 9, "ts": "2026-01-01 00:00:03"}

SELECT k, v, n FROM (
  SELECT k, v, COUNT(*) OVER (PARTITION BY k ORDER BY ts RANGE BETWEEN INTERVAL '1' MINUTE PRECEDING AND CURRENT ROW) AS n FROM t WHERE v > 0
) WHERE n > 1;
-- duckdb: SELECT k, v, n FROM (
--   SELECT k, v, count(*) OVER (PARTITION BY k ORDER BY ts RANGE BETWEEN INTERVAL 1 MINUTE PRECEDING AND CURRENT ROW) AS n FROM t WHERE v > 0
--   ) WHERE n > 1

-- expect
{"k":"a","v":2,"n":2}
{"k":"a","v":3,"n":3}
