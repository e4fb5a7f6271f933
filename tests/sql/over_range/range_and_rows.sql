-- Frames by time and by number of rows side by side.
CREATE TABLE t (k STRING, v INT, ts TIMESTAMP(3), WATERMARK FOR ts AS ts - INTERVAL '5' SECOND) WITH ('connector' = 'rows');

-- input t
{"k": "a", "v": 1, "ts": "2026-01-01 00:00:00"}
{"k": "a", "v": 2, "ts": "2026-01-01 00:00:05"}
{"k": "a", "v": 4, "ts": "2026-01-01 00:00:07"}
{"k": "a", "v": 8, "ts": "2026-01-01 00:01:30"}
{"k": "b", "v": 16, "ts": "2026-01-01 00:01:31"}

SELECT k, v, SUM(v) OVER (PARTITION BY k ORDER BY ts RANGE BETWEEN INTERVAL '10' SECOND PRECEDING AND CURRENT ROW) AS by_time,
  SUM(v) OVER (PARTITION BY k ORDER BY ts ROWS BETWEEN 1 PRECEDING AND CURRENT ROW) AS by_rows,
  ROW_NUMBER() OVER (PARTITION BY k ORDER BY ts) AS rn FROM t;
-- duckdb: SELECT k, v, sum(v) OVER (PARTITION BY k ORDER BY ts RANGE BETWEEN INTERVAL 10 SECOND PRECEDING AND CURRENT ROW) AS by_time,
--   sum(v) OVER (PARTITION BY k ORDER BY ts ROWS BETWEEN 1 PRECEDING AND CURRENT ROW) AS by_rows,
--   row_number() OVER (PARTITION BY k ORDER BY ts) AS rn FROM t

-- expect
{"k":"a","v":1,"by_time":1,"by_rows":1,"rn":1}
{"k":"a","v":2,"by_time":3,"by_rows":3,"rn":2}
{"k":"a","v":4,"by_time":7,"by_rows":6,"rn":3}
{"k":"a","v":8,"by_time":8,"by_rows":12,"rn":4}
{"k":"b","v":16,"by_time":16,"by_rows":16,"rn":1}
