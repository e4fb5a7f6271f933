-- Aggregates leave NULLs out; of nothing but NULLs they are NULL, COUNT is 0.
CREATE TABLE t (k STRING, v INT, ts TIMESTAMP(3), WATERMARK FOR ts AS ts - INTERVAL '5' SECOND) WITH ('connector' = 'rows');

-- input t
{"k": "a", "v": null, "ts": "2026-01-01 00:00:01"}
{"k": "a", "v": 3, "ts": "2026-01-01 00:00:02"}
{"k": "a", "v": null, "ts": "2026-01-01 00:00:10"}
{"k": "a", "v": null, "ts": "2026-01-01 00:00:20"}
{"k": "b", "v": 7, "ts": "2026-01-01 00:00:20"}

SELECT k, ts, COUNT(v) OVER w AS c, COUNT(*) OVER w AS n, SUM(v) OVER w AS s, MIN(v) OVER w AS mi, MAX(v) OVER w AS ma FROM t
WINDOW w AS (PARTITION BY k ORDER BY ts RANGE BETWEEN INTERVAL '8' SECOND PRECEDING AND CURRENT ROW);
-- duckdb: SELECT k, ts, count(v) OVER w AS c, count(*) OVER w AS n, sum(v) OVER w AS s, min(v) OVER w AS mi, max(v) OVER w AS ma FROM t
--   WINDOW w AS (PARTITION BY k ORDER BY ts RANGE BETWEEN INTERVAL 8 SECOND PRECEDING AND CURRENT ROW)

-- expect
{"k":"a","ts":"2026-01-01 00:00:01","c":0,"n":1,"s":null,"mi":null,"ma":null}
{"k":"a","ts":"2026-01-01 00:00:02","c":1,"n":2,"s":3,"mi":3,"ma":3}
{"k":"a","ts":"2026-01-01 00:00:10","c":1,"n":2,"s":3,"mi":3,"ma":3}
{"k":"a","ts":"2026-01-01 00:00:20","c":0,"n":1,"s":null,"mi":null,"ma":null}
{"k":"b","ts":"2026-01-01 00:00:20","c":1,"n":1,"s":7,"mi":7,"ma":7}
