-- A second, a minute and an hour in one SELECT, over one time and one key.
CREATE TABLE t (k STRING, v INT, ts TIMESTAMP(3), WATERMARK FOR ts AS ts - INTERVAL '5' SECOND) WITH ('connector' = 'rows');

-- input t
{"k": "a", "v": 1, "ts": "2026-01-01 00:00:00"}
{"k": "a", "v": 2, "ts": "2026-01-01 00:00:01"}
{"k": "b", "v": 3, "ts": "2026-01-01 00:00:01"}
{"k": "a", "v": 4, "ts": "2026-01-01 00:00:30"}
{"k": "a", "v": 8, "ts": "2026-01-01 00:01:01"}
{"k": "b", "v": 16, "ts": "2026-01-01 00:30:00"}
{"k": "a", "v": 32, "ts": "2026-01-01 00:59:59"}
{"k": "a", "v": 64, "ts": "2026-01-01 01:00:02"}

SELECT k, v, SUM(v) OVER s AS s1, SUM(v) OVER m AS s60, SUM(v) OVER h AS s3600, COUNT(*) OVER h AS n FROM t
WINDOW s AS (PARTITION BY k ORDER BY ts RANGE BETWEEN INTERVAL '1' SECOND PRECEDING AND CURRENT ROW),
  m AS (PARTITION BY k ORDER BY ts RANGE BETWEEN INTERVAL '1' MINUTE PRECEDING AND CURRENT ROW),
  h AS (PARTITION BY k ORDER BY ts RANGE BETWEEN INTERVAL '1' HOUR PRECEDING AND CURRENT ROW);
-- duckdb: SELECT k, v, sum(v) OVER s AS s1, sum(v) OVER m AS s60, sum(v) OVER h AS s3600, count(*) OVER h AS n FROM t
--   WINDOW s AS (PARTITION BY k ORDER BY ts RANGE BETWEEN INTERVAL 1 SECOND PRECEDING AND CURRENT ROW),
--   m AS (PARTITION BY k ORDER BY ts RANGE BETWEEN INTERVAL 1 MINUTE PRECEDING AND CURRENT ROW),
--   h AS (PARTITION BY k ORDER BY ts RANGE BETWEEN INTERVAL 1 HOUR PRECEDING AND CURRENT ROW)

-- expect
{"k":"a","v":1,"s1":1,"s60":1,"s3600":1,"n":1}
{"k":"a","v":2,"s1":3,"s60":3,"s3600":3,"n":2}
{"k":"a","v":32,"s1":32,"s60":32,"s3600":47,"n":5}
{"k":"a","v":4,"s1":4,"s60":7,"s3600":7,"n":3}
{"k":"a","v":64,"s1":64,"s60":96,"s3600":108,"n":4}
{"k":"a","v":8,"s1":8,"s60":14,"s3600":15,"n":4}
{"k":"b","v":16,"s1":16,"s60":16,"s3600":19,"n":2}
{"k":"b","v":3,"s1":3,"s60":3,"s3600":3,"n":1}
