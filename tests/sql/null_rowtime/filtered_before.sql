-- The source decides, before WHERE: the condition does not save the job.
CREATE TABLE t (k STRING, v INT, ts TIMESTAMP(3), WATERMARK FOR ts AS ts - INTERVAL '5' SECOND) WITH ('connector' = 'rows');

-- input t
{"k": "a", "v": 1, "ts": "2026-01-01 00:00:01"}
{"k": "a", "v": 2, "ts": null}

SELECT v FROM t WHERE ts IS NOT NULL;
-- error TM3001 - ts
