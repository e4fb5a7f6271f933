-- OVER has no place for a row without time: it is refused there.
SET 'table.exec.source.rowtime-null-handling' = 'SKIP_WATERMARK';
CREATE TABLE t (k STRING, v INT, ts TIMESTAMP(3), WATERMARK FOR ts AS ts - INTERVAL '5' SECOND) WITH ('connector' = 'rows');

-- input t
{"k": "a", "v": 1, "ts": "2026-01-01 00:00:01"}
{"k": "a", "v": 2, "ts": null}
{"k": "a", "v": 4, "ts": "2026-01-01 00:00:02"}

SELECT v, SUM(v) OVER (PARTITION BY k ORDER BY ts) AS s FROM t;
-- duckdb: SELECT v, sum(v) OVER (PARTITION BY k ORDER BY ts) AS s FROM t WHERE ts IS NOT NULL

-- expect
{"v":1,"s":1}
{"v":4,"s":5}
-- rejected null_rowtime 1
