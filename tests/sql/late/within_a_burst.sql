-- All in one batch: the watermark moves row by row, so a row may be late for one just before it.
CREATE TABLE t (k STRING, v INT, ts TIMESTAMP(3), WATERMARK FOR ts AS ts) WITH ('connector' = 'rows');

-- input t
{"k": "a", "v": 1, "ts": "2026-01-01 00:00:01"}
{"k": "b", "v": 2, "ts": "2026-01-01 00:00:03"}
{"k": "a", "v": 4, "ts": "2026-01-01 00:00:02"}
{"k": "b", "v": 8, "ts": "2026-01-01 00:00:04"}
{"k": "a", "v": 16, "ts": "2026-01-01 00:00:03.999"}
{"k": "a", "v": 32, "ts": "2026-01-01 00:00:05"}

SELECT k, v, COUNT(*) OVER (PARTITION BY k ORDER BY ts) AS n FROM t;
-- duckdb: SELECT k, v, count(*) OVER (PARTITION BY k ORDER BY ts) AS n FROM t WHERE v NOT IN (4, 16)

-- expect
{"k":"a","v":1,"n":1}
{"k":"a","v":32,"n":2}
{"k":"b","v":2,"n":1}
{"k":"b","v":8,"n":2}
-- rejected late 2
