-- Sums of DECIMAL are exact while rows come and go.
CREATE TABLE t (k STRING, c DECIMAL(10, 2), ts TIMESTAMP(3), WATERMARK FOR ts AS ts - INTERVAL '5' SECOND) WITH ('connector' = 'rows');

-- input t
{"k": "a", "c": 0.10, "ts": "2026-01-01 00:00:00"}
{"k": "a", "c": 0.20, "ts": "2026-01-01 00:00:01"}
{"k": "a", "c": 99999999.99, "ts": "2026-01-01 00:00:02"}
{"k": "a", "c": -0.30, "ts": "2026-01-01 00:00:03"}
{"k": "a", "c": null, "ts": "2026-01-01 00:00:04"}
{"k": "a", "c": 0.01, "ts": "2026-01-01 00:00:05"}

SELECT ts, SUM(c) OVER w AS s, MIN(c) OVER w AS mi, MAX(c) OVER w AS ma, COUNT(c) OVER w AS n FROM t
WINDOW w AS (PARTITION BY k ORDER BY ts RANGE BETWEEN INTERVAL '2' SECOND PRECEDING AND CURRENT ROW);
-- duckdb: SELECT ts, sum(c) OVER w AS s, min(c) OVER w AS mi, max(c) OVER w AS ma, count(c) OVER w AS n FROM t
--   WINDOW w AS (PARTITION BY k ORDER BY ts RANGE BETWEEN INTERVAL 2 SECOND PRECEDING AND CURRENT ROW)

-- expect
{"ts":"2026-01-01 00:00:00","s":0.10,"mi":0.10,"ma":0.10,"n":1}
{"ts":"2026-01-01 00:00:01","s":0.30,"mi":0.10,"ma":0.20,"n":2}
{"ts":"2026-01-01 00:00:02","s":100000000.29,"mi":0.10,"ma":99999999.99,"n":3}
{"ts":"2026-01-01 00:00:03","s":99999999.89,"mi":-0.30,"ma":99999999.99,"n":3}
{"ts":"2026-01-01 00:00:04","s":99999999.69,"mi":-0.30,"ma":99999999.99,"n":2}
{"ts":"2026-01-01 00:00:05","s":-0.29,"mi":-0.30,"ma":0.01,"n":2}
