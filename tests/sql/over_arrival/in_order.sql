-- On arrival, in order: the same as on the watermark.
SET 'table.exec.over.emit' = 'on-arrival';
CREATE TABLE t (k STRING, v INT, ts TIMESTAMP(3), WATERMARK FOR ts AS ts - INTERVAL '5' SECOND) WITH ('connector' = 'rows');

-- input t
{"k": "a", "v": 1, "ts": "2026-01-01 00:00:01"}
{"k": "b", "v": 2, "ts": "2026-01-01 00:00:02"}
{"k": "a", "v": 4, "ts": "2026-01-01 00:00:30"}
{"k": "a", "v": 8, "ts": "2026-01-01 00:01:30"}
{"k": "b", "v": 16, "ts": "2026-01-01 00:01:31"}

SELECT k, v, SUM(v) OVER w AS s, COUNT(*) OVER w AS n FROM t
WINDOW w AS (PARTITION BY k ORDER BY ts RANGE BETWEEN INTERVAL '1' MINUTE PRECEDING AND CURRENT ROW);
-- duckdb: SELECT k, v, sum(v) OVER w AS s, count(*) OVER w AS n FROM t
--   WINDOW w AS (PARTITION BY k ORDER BY ts RANGE BETWEEN INTERVAL 1 MINUTE PRECEDING AND CURRENT ROW)

-- expect
{"k":"a","v":1,"s":1,"n":1}
{"k":"a","v":4,"s":5,"n":2}
{"k":"a","v":8,"s":12,"n":2}
{"k":"b","v":16,"s":16,"n":1}
{"k":"b","v":2,"s":2,"n":1}
