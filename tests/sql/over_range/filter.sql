-- FILTER counts only the rows that hold; NULL does not hold.
CREATE TABLE t (k STRING, v INT, ts TIMESTAMP(3), WATERMARK FOR ts AS ts - INTERVAL '5' SECOND) WITH ('connector' = 'rows');

-- input t
{"k": "a", "v": 1, "ts": "2026-01-01 00:00:00"}
{"k": "a", "v": 5, "ts": "2026-01-01 00:00:01"}
{"k": "a", "v": null, "ts": "2026-01-01 00:00:02"}
{"k": "a", "v": 9, "ts": "2026-01-01 00:00:03"}
{"k": "a", "v": 2, "ts": "2026-01-01 00:00:04"}

SELECT ts, COUNT(*) FILTER (WHERE v > 3) OVER w AS big, SUM(v) FILTER (WHERE v < 6) OVER w AS small FROM t
WINDOW w AS (PARTITION BY k ORDER BY ts RANGE BETWEEN INTERVAL '2' SECOND PRECEDING AND CURRENT ROW);
-- duckdb: SELECT ts, count(*) FILTER (WHERE v > 3) OVER w AS big, sum(v) FILTER (WHERE v < 6) OVER w AS small FROM t
--   WINDOW w AS (PARTITION BY k ORDER BY ts RANGE BETWEEN INTERVAL 2 SECOND PRECEDING AND CURRENT ROW)

-- expect
{"ts":"2026-01-01 00:00:00","big":0,"small":1}
{"ts":"2026-01-01 00:00:01","big":1,"small":6}
{"ts":"2026-01-01 00:00:02","big":1,"small":6}
{"ts":"2026-01-01 00:00:03","big":2,"small":5}
{"ts":"2026-01-01 00:00:04","big":1,"small":2}
