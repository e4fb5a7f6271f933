-- Changes of a value: a query over LAG.
CREATE TABLE t (k STRING, v INT, ts TIMESTAMP(3), WATERMARK FOR ts AS ts - INTERVAL '5' SECOND) WITH ('connector' = 'rows');

-- input t
{"k": "a", "v": 1, "ts": "2026-01-01 00:00:01"}
{"k": "a", "v": 1, "ts": "2026-01-01 00:00:02"}
{"k": "a", "v": 2, "ts": "2026-01-01 00:00:03"}
{"k": "b", "v": 2, "ts": "2026-01-01 00:00:03"}
{"k": "a", "v": null, "ts": "2026-01-01 00:00:04"}
{"k": "a", "v": null, "ts": "2026-01-01 00:00:05"}

SELECT k, v, before FROM (SELECT k, v, LAG(v) OVER (PARTITION BY k ORDER BY ts) AS before FROM t) WHERE v IS DISTINCT FROM before;
-- duckdb: SELECT k, v, before FROM (SELECT k, v, lag(v) OVER (PARTITION BY k ORDER BY ts) AS before FROM t) WHERE v IS DISTINCT FROM before

-- expect
{"k":"a","v":1,"before":null}
{"k":"a","v":2,"before":1}
{"k":"a","v":null,"before":2}
{"k":"b","v":2,"before":null}
