-- 'skip_watermark' lets such rows through; they move no watermark. A projection gives them out.
SET 'table.exec.source.rowtime-null-handling' = 'skip_watermark';
CREATE TABLE t (k STRING, v INT, ts TIMESTAMP(3), WATERMARK FOR ts AS ts - INTERVAL '5' SECOND) WITH ('connector' = 'rows');

-- input t
{"k": "a", "v": 1, "ts": "2026-01-01 00:00:01"}
{"k": "a", "v": 2, "ts": null}
{"k": "a", "v": 4, "ts": "2026-01-01 00:00:02"}

SELECT v, ts FROM t;
-- duckdb: SELECT v, ts FROM t

-- expect
{"v":1,"ts":"2026-01-01 00:00:01"}
{"v":2,"ts":null}
{"v":4,"ts":"2026-01-01 00:00:02"}
