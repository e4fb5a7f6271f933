-- MIN and MAX of texts, by their bytes, with letters of several bytes, while they leave the frame.
CREATE TABLE t (k INT, s STRING, ts TIMESTAMP(3), WATERMARK FOR ts AS ts - INTERVAL '5' SECOND) WITH ('connector' = 'rows');

-- input t
{"k": 1, "s": "zebra", "ts": "2026-01-01 00:00:00"}
{"k": 1, "s": "Über", "ts": "2026-01-01 00:00:01"}
{"k": 1, "s": "apple", "ts": "2026-01-01 00:00:02"}
{"k": 1, "s": "水", "ts": "2026-01-01 00:00:03"}
{"k": 1, "s": null, "ts": "2026-01-01 00:00:04"}
{"k": 1, "s": "B'q\"x", "ts": "2026-01-01 00:00:05"}
{"k": 1, "s": null, "ts": "2026-01-01 00:00:20"}

SELECT ts, MIN(s) OVER w AS mi, MAX(s) OVER w AS ma, COUNT(s) OVER w AS n FROM t
WINDOW w AS (PARTITION BY k ORDER BY ts RANGE BETWEEN INTERVAL '2' SECOND PRECEDING AND CURRENT ROW);
-- duckdb: SELECT ts, min(s) OVER w AS mi, max(s) OVER w AS ma, count(s) OVER w AS n FROM t
--   WINDOW w AS (PARTITION BY k ORDER BY ts RANGE BETWEEN INTERVAL 2 SECOND PRECEDING AND CURRENT ROW)

-- expect
{"ts":"2026-01-01 00:00:00","mi":"zebra","ma":"zebra","n":1}
{"ts":"2026-01-01 00:00:01","mi":"zebra","ma":"Über","n":2}
{"ts":"2026-01-01 00:00:02","mi":"apple","ma":"Über","n":3}
{"ts":"2026-01-01 00:00:03","mi":"apple","ma":"水","n":3}
{"ts":"2026-01-01 00:00:04","mi":"apple","ma":"水","n":2}
{"ts":"2026-01-01 00:00:05","mi":"B'q\"x","ma":"水","n":2}
{"ts":"2026-01-01 00:00:20","mi":null,"ma":null,"n":0}
