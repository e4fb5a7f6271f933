-- A minute and an hour, LAG and a count of different values, each from what has come.
SET 'table.exec.over.emit' = 'on-arrival';
CREATE TABLE t (k STRING, v INT, ts TIMESTAMP(3), WATERMARK FOR ts AS ts - INTERVAL '5' SECOND) WITH ('connector' = 'rows');

-- input t
{"k": "a", "v": 1, "ts": "2026-01-01 00:00:10"}
{"k": "a", "v": 1, "ts": "2026-01-01 00:00:50"}
{"k": "a", "v": null, "ts": "2026-01-01 00:01:30"}
{"k": "a", "v": 5, "ts": "2026-01-01 00:59:00"}
{"k": "b", "v": 7, "ts": "2026-01-01 00:59:01"}

SELECT k, v, COUNT(*) OVER m AS n60, SUM(v) OVER h AS s3600, COUNT(DISTINCT v) OVER h AS d, LAG(v) OVER (PARTITION BY k ORDER BY ts) AS before FROM t
WINDOW m AS (PARTITION BY k ORDER BY ts RANGE BETWEEN INTERVAL '1' MINUTE PRECEDING AND CURRENT ROW),
  h AS (PARTITION BY k ORDER BY ts RANGE BETWEEN INTERVAL '1' HOUR PRECEDING AND CURRENT ROW);
-- The input is in order, so this is also the answer on the watermark.
-- duckdb: SELECT k, v, count(*) OVER m AS n60, sum(v) OVER h AS s3600, count(DISTINCT v) OVER h AS d, lag(v) OVER (PARTITION BY k ORDER BY ts) AS before FROM t
--   WINDOW m AS (PARTITION BY k ORDER BY ts RANGE BETWEEN INTERVAL 1 MINUTE PRECEDING AND CURRENT ROW),
--   h AS (PARTITION BY k ORDER BY ts RANGE BETWEEN INTERVAL 1 HOUR PRECEDING AND CURRENT ROW)

-- expect
{"k":"a","v":1,"n60":1,"s3600":1,"d":1,"before":null}
{"k":"a","v":1,"n60":2,"s3600":2,"d":1,"before":1}
{"k":"a","v":5,"n60":1,"s3600":7,"d":2,"before":null}
{"k":"a","v":null,"n60":2,"s3600":2,"d":1,"before":1}
{"k":"b","v":7,"n60":1,"s3600":7,"d":1,"before":null}
