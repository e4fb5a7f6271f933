-- The row and the two before it in its key.
CREATE TABLE t (k STRING, v INT, ts TIMESTAMP(3), WATERMARK FOR ts AS ts - INTERVAL '5' SECOND) WITH ('connector' = 'rows');

-- input t
{"k": "a", "v": 1, "ts": "2026-01-01 00:00:00"}
{"k": "a", "v": 2, "ts": "2026-01-01 01:00:00"}
{"k": "b", "v": 4, "ts": "2026-01-01 01:30:00"}
{"k": "a", "v": 8, "ts": "2026-01-01 02:00:00"}
{"k": "a", "v": 16, "ts": "2026-01-01 03:00:00"}
{"k": "b", "v": 32, "ts": "2026-01-01 04:00:00"}

SELECT k, v, SUM(v) OVER w AS s, COUNT(*) OVER w AS n, MIN(v) OVER w AS mi, MAX(v) OVER w AS ma FROM t
WINDOW w AS (PARTITION BY k ORDER BY ts ROWS BETWEEN 2 PRECEDING AND CURRENT ROW);
-- duckdb: SELECT k, v, sum(v) OVER w AS s, count(*) OVER w AS n, min(v) OVER w AS mi, max(v) OVER w AS ma FROM t
--   WINDOW w AS (PARTITION BY k ORDER BY ts ROWS BETWEEN 2 PRECEDING AND CURRENT ROW)

-- expect
{"k":"a","v":1,"s":1,"n":1,"mi":1,"ma":1}
{"k":"a","v":16,"s":26,"n":3,"mi":2,"ma":16}
{"k":"a","v":2,"s":3,"n":2,"mi":1,"ma":2}
{"k":"a","v":8,"s":11,"n":3,"mi":1,"ma":8}
{"k":"b","v":32,"s":36,"n":2,"mi":4,"ma":32}
{"k":"b","v":4,"s":4,"n":1,"mi":4,"ma":4}
