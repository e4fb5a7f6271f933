-- CREATE TABLE ... LIKE takes columns, options and watermark, and adds its own.
CREATE TABLE base (a INT, ts TIMESTAMP(3), WATERMARK FOR ts AS ts - INTERVAL '1' SECOND) WITH ('connector' = 'rows');
CREATE TABLE t (b STRING) LIKE base;

-- input t
{"a": 1, "b": "x", "ts": "2026-01-01 00:00:01"}
{"a": 2, "b": "y", "ts": "2026-01-01 00:00:02"}

SELECT a, b, SUM(a) OVER (ORDER BY ts) AS s FROM t;

-- Sums from the first row on: 1, then 1 + 2.
-- expect
{"a": 1, "b": "x", "s": 1}
{"a": 2, "b": "y", "s": 3}
