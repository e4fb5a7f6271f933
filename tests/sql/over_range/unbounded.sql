-- From the first row of the key on.
CREATE TABLE t (k STRING, v INT, ts TIMESTAMP(3), WATERMARK FOR ts AS ts - INTERVAL '5' SECOND) WITH ('connector' = 'rows');

-- input t
{"k": "a", "v": 5, "ts": "2026-01-01 00:00:01"}
{"k": "b", "v": 1, "ts": "2026-01-01 00:00:02"}
{"k": "a", "v": 3, "ts": "2026-01-01 01:00:00"}
{"k": "a", "v": 4, "ts": "2026-01-01 01:00:00"}
{"k": "b", "v": 9, "ts": "2026-01-01 23:00:00"}
-- split
{"k": "c", "v": 2, "ts": "2026-01-01 00:00:30"}

SELECT k, v, SUM(v) OVER w AS s, MIN(v) OVER w AS mi, MAX(v) OVER w AS ma, COUNT(*) OVER (PARTITION BY k ORDER BY ts) AS n FROM t
WINDOW w AS (PARTITION BY k ORDER BY ts RANGE BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW);
-- duckdb: SELECT k, v, sum(v) OVER w AS s, min(v) OVER w AS mi, max(v) OVER w AS ma, count(*) OVER w AS n FROM t
--   WINDOW w AS (PARTITION BY k ORDER BY ts RANGE BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW)

-- expect
{"k":"a","v":3,"s":12,"mi":3,"ma":5,"n":3}
{"k":"a","v":4,"s":12,"mi":3,"ma":5,"n":3}
{"k":"a","v":5,"s":5,"mi":5,"ma":5,"n":1}
{"k":"b","v":1,"s":1,"mi":1,"ma":1,"n":1}
{"k":"b","v":9,"s":10,"mi":1,"ma":9,"n":2}
{"k":"c","v":2,"s":2,"mi":2,"ma":2,"n":1}
