-- COUNT(DISTINCT) forgets a value when its last row leaves the frame; NULL is no value.
CREATE TABLE t (k STRING, v INT, ts TIMESTAMP(3), WATERMARK FOR ts AS ts - INTERVAL '5' SECOND) WITH ('connector' = 'rows');

-- input t
{"k": "a", "v": 1, "ts": "2026-01-01 00:00:00"}
{"k": "a", "v": 2, "ts": "2026-01-01 00:00:01"}
{"k": "a", "v": 1, "ts": "2026-01-01 00:00:02"}
{"k": "a", "v": null, "ts": "2026-01-01 00:00:03"}
{"k": "a", "v": 3, "ts": "2026-01-01 00:00:03"}
{"k": "a", "v": 3, "ts": "2026-01-01 00:00:05"}
{"k": "b", "v": 1, "ts": "2026-01-01 00:00:05"}

SELECT k, ts, v, COUNT(DISTINCT v) OVER w AS n FROM t
WINDOW w AS (PARTITION BY k ORDER BY ts RANGE BETWEEN INTERVAL '2' SECOND PRECEDING AND CURRENT ROW);
-- duckdb: SELECT k, ts, v, count(DISTINCT v) OVER w AS n FROM t
--   WINDOW w AS (PARTITION BY k ORDER BY ts RANGE BETWEEN INTERVAL 2 SECOND PRECEDING AND CURRENT ROW)

-- expect
{"k":"a","ts":"2026-01-01 00:00:00","v":1,"n":1}
{"k":"a","ts":"2026-01-01 00:00:01","v":2,"n":2}
{"k":"a","ts":"2026-01-01 00:00:02","v":1,"n":2}
{"k":"a","ts":"2026-01-01 00:00:03","v":3,"n":3}
{"k":"a","ts":"2026-01-01 00:00:03","v":null,"n":3}
{"k":"a","ts":"2026-01-01 00:00:05","v":3,"n":1}
{"k":"b","ts":"2026-01-01 00:00:05","v":1,"n":1}
