-- A least value that leaves is followed by the next one.
CREATE TABLE t (k STRING, v INT, ts TIMESTAMP(3), WATERMARK FOR ts AS ts - INTERVAL '5' SECOND) WITH ('connector' = 'rows');

-- input t
{"k": "a", "v": 5, "ts": "2026-01-01 00:00:01"}
{"k": "a", "v": 1, "ts": "2026-01-01 00:00:02"}
{"k": "a", "v": 4, "ts": "2026-01-01 00:00:03"}
{"k": "a", "v": 3, "ts": "2026-01-01 00:00:04"}
{"k": "a", "v": 9, "ts": "2026-01-01 00:00:05"}
{"k": "a", "v": 9, "ts": "2026-01-01 00:00:06"}
{"k": "a", "v": 2, "ts": "2026-01-01 00:00:07"}

SELECT ts, MIN(v) OVER w AS mi, MAX(v) OVER w AS ma, COUNT(DISTINCT v) OVER w AS d FROM t
WINDOW w AS (PARTITION BY k ORDER BY ts ROWS BETWEEN 2 PRECEDING AND CURRENT ROW);
-- duckdb: SELECT ts, min(v) OVER w AS mi, max(v) OVER w AS ma, count(DISTINCT v) OVER w AS d FROM t
--   WINDOW w AS (PARTITION BY k ORDER BY ts ROWS BETWEEN 2 PRECEDING AND CURRENT ROW)

-- expect
{"ts":"2026-01-01 00:00:01","mi":5,"ma":5,"d":1}
{"ts":"2026-01-01 00:00:02","mi":1,"ma":5,"d":2}
{"ts":"2026-01-01 00:00:03","mi":1,"ma":5,"d":3}
{"ts":"2026-01-01 00:00:04","mi":1,"ma":4,"d":3}
{"ts":"2026-01-01 00:00:05","mi":3,"ma":9,"d":3}
{"ts":"2026-01-01 00:00:06","mi":3,"ma":9,"d":2}
{"ts":"2026-01-01 00:00:07","mi":2,"ma":9,"d":2}
