-- A NULL takes one of the rows of the frame, though it counts for nothing.
CREATE TABLE t (k STRING, v INT, ts TIMESTAMP(3), WATERMARK FOR ts AS ts - INTERVAL '5' SECOND) WITH ('connector' = 'rows');

-- input t
{"k": "a", "v": 1, "ts": "2026-01-01 00:00:01"}
{"k": "a", "v": null, "ts": "2026-01-01 00:00:02"}
{"k": "a", "v": null, "ts": "2026-01-01 00:00:03"}
{"k": "a", "v": 4, "ts": "2026-01-01 00:00:04"}
{"k": "a", "v": 5, "ts": "2026-01-01 00:00:05"}

SELECT ts, SUM(v) OVER w AS s, COUNT(*) OVER w AS n, AVG(v) OVER w AS a, LAST_VALUE(v) OVER w AS l FROM t
WINDOW w AS (PARTITION BY k ORDER BY ts ROWS BETWEEN 1 PRECEDING AND CURRENT ROW);
-- duckdb: SELECT ts, sum(v) OVER w AS s, count(*) OVER w AS n, CAST(trunc(avg(v) OVER w) AS INTEGER) AS a, last_value(v IGNORE NULLS) OVER w AS l FROM t
--   WINDOW w AS (PARTITION BY k ORDER BY ts ROWS BETWEEN 1 PRECEDING AND CURRENT ROW)

-- expect
{"ts":"2026-01-01 00:00:01","s":1,"n":1,"a":1,"l":1}
{"ts":"2026-01-01 00:00:02","s":1,"n":2,"a":1,"l":1}
{"ts":"2026-01-01 00:00:03","s":null,"n":2,"a":null,"l":null}
{"ts":"2026-01-01 00:00:04","s":4,"n":2,"a":4,"l":4}
{"ts":"2026-01-01 00:00:05","s":9,"n":2,"a":4,"l":5}
