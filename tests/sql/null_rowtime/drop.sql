-- 'drop', in any case, leaves such rows out, and counts them.
SET 'table.exec.source.rowtime-null-handling' = 'drop';
CREATE TABLE t (k STRING, v INT, ts TIMESTAMP(3), WATERMARK FOR ts AS ts - INTERVAL '5' SECOND) WITH ('connector' = 'rows');

-- input t
{"k": "a", "v": 1, "ts": "2026-01-01 00:00:01"}
{"k": "a", "v": 2, "ts": null}
{"k": "a", "v": 4, "ts": "2026-01-01 00:00:02"}
{"k": "b", "v": 8, "ts": null}

SELECT k, v, SUM(v) OVER (PARTITION BY k ORDER BY ts) AS s FROM t;
-- duckdb: SELECT k, v, sum(v) OVER (PARTITION BY k ORDER BY ts) AS s FROM t WHERE ts IS NOT NULL

-- expect
{"k":"a","v":1,"s":1}
{"k":"a","v":4,"s":5}
-- rejected null_rowtime 2
