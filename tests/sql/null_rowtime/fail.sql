-- A NULL in the time attribute: the job fails, the default.
CREATE TABLE t (k STRING, v INT, ts TIMESTAMP(3), WATERMARK FOR ts AS ts - INTERVAL '5' SECOND) WITH ('connector' = 'rows');

-- input t
{"k": "a", "v": 1, "ts": "2026-01-01 00:00:01"}
{"k": "a", "v": 2, "ts": null}
{"k": "a", "v": 4, "ts": "2026-01-01 00:00:02"}

SELECT v, SUM(v) OVER (PARTITION BY k ORDER BY ts) AS s FROM t;
-- error TM3001 - ts
