-- One row: sums of it alone, deviations of a sample are NULL.
CREATE TABLE t (k STRING, v INT, ts TIMESTAMP(3), WATERMARK FOR ts AS ts - INTERVAL '5' SECOND) WITH ('connector' = 'rows');

-- input t
{"k": "a", "v": 7, "ts": "2026-01-01 00:00:00"}

SELECT k, SUM(v) OVER w AS s, AVG(v) OVER w AS a, STDDEV_POP(v) OVER w AS sp, STDDEV_SAMP(v) OVER w AS ss, VAR_SAMP(v) OVER w AS vs FROM t
WINDOW w AS (PARTITION BY k ORDER BY ts RANGE BETWEEN INTERVAL '1' DAY PRECEDING AND CURRENT ROW);
-- duckdb: SELECT k, sum(v) OVER w AS s, CAST(trunc(avg(v) OVER w) AS INTEGER) AS a, stddev_pop(v) OVER w AS sp, stddev_samp(v) OVER w AS ss, var_samp(v) OVER w AS vs FROM t
--   WINDOW w AS (PARTITION BY k ORDER BY ts)

-- expect
{"k":"a","s":7,"a":7,"sp":0,"ss":null,"vs":null}
