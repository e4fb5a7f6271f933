-- Calls inside expressions, and expressions inside calls.
CREATE TABLE t (k STRING, v INT, ts TIMESTAMP(3), WATERMARK FOR ts AS ts - INTERVAL '5' SECOND) WITH ('connector' = 'rows');

-- input t
{"k": "a", "v": 10, "ts": "2026-01-01 00:00:00"}
{"k": "a", "v": 30, "ts": "2026-01-01 00:00:01"}
{"k": "a", "v": 20, "ts": "2026-01-01 00:00:05"}
{"k": "b", "v": null, "ts": "2026-01-01 00:00:05"}

SELECT k, v, v - AVG(v * 2) OVER w / 2 AS away, COALESCE(CAST(SUM(ABS(v) + 1) OVER w AS STRING), 'none') AS s,
  CASE WHEN COUNT(*) OVER w > 1 THEN 'again' ELSE 'first' END AS seen FROM t
WINDOW w AS (PARTITION BY k ORDER BY ts RANGE BETWEEN INTERVAL '1' MINUTE PRECEDING AND CURRENT ROW);
-- duckdb: SELECT k, v, v - CAST(trunc(CAST(trunc(avg(v * 2) OVER w) AS INTEGER) / 2) AS INTEGER) AS away, coalesce(CAST(sum(abs(v) + 1) OVER w AS VARCHAR), 'none') AS s,
--   CASE WHEN count(*) OVER w > 1 THEN 'again' ELSE 'first' END AS seen FROM t
--   WINDOW w AS (PARTITION BY k ORDER BY ts RANGE BETWEEN INTERVAL 1 MINUTE PRECEDING AND CURRENT ROW)

-- expect
{"k":"a","v":10,"away":0,"s":"11","seen":"first"}
{"k":"a","v":20,"away":0,"s":"63","seen":"again"}
{"k":"a","v":30,"away":10,"s":"42","seen":"again"}
{"k":"b","v":null,"away":null,"s":"none","seen":"first"}
