-- A frame of the row alone.
CREATE TABLE t (k STRING, v INT, ts TIMESTAMP(3), WATERMARK FOR ts AS ts - INTERVAL '5' SECOND) WITH ('connector' = 'rows');

-- input t
{"k": "a", "v": 1, "ts": "2026-01-01 00:00:01"}
{"k": "a", "v": null, "ts": "2026-01-01 00:00:02"}
{"k": "a", "v": 4, "ts": "2026-01-01 00:00:03"}

SELECT ts, SUM(v) OVER w AS s, COUNT(v) OVER w AS n FROM t WINDOW w AS (PARTITION BY k ORDER BY ts ROWS BETWEEN 0 PRECEDING AND CURRENT ROW);
-- duckdb: SELECT ts, v AS s, CASE WHEN v IS NULL THEN 0 ELSE 1 END AS n FROM t

-- expect
{"ts":"2026-01-01 00:00:01","s":1,"n":1}
{"ts":"2026-01-01 00:00:02","s":null,"n":0}
{"ts":"2026-01-01 00:00:03","s":4,"n":1}
