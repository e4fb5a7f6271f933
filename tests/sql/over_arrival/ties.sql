-- Rows of one time: each sees those that came before it and itself.
SET 'table.exec.over.emit' = 'on-arrival';
CREATE TABLE t (k STRING, v INT, ts TIMESTAMP(3), WATERMARK FOR ts AS ts - INTERVAL '5' SECOND) WITH ('connector' = 'rows');

-- input t
{"k": "a", "v": 1, "ts": "2026-01-01 00:00:10"}
{"k": "a", "v": 2, "ts": "2026-01-01 00:00:10"}
{"k": "a", "v": 4, "ts": "2026-01-01 00:00:10"}

SELECT v, SUM(v) OVER (PARTITION BY k ORDER BY ts RANGE BETWEEN INTERVAL '3' SECOND PRECEDING AND CURRENT ROW) AS s FROM t;
-- duckdb: SELECT x.v, CAST(sum(y.v) AS INT) AS s FROM t x JOIN t y ON y.k = x.k AND y._i <= x._i GROUP BY x.v

-- expect
{"v":1,"s":1}
{"v":2,"s":3}
{"v":4,"s":7}
