-- The watermark is the table's, not the key's: the first row of a key can be late.
CREATE TABLE t (k STRING, v INT, ts TIMESTAMP(3), WATERMARK FOR ts AS ts - INTERVAL '5' SECOND) WITH ('connector' = 'rows');

-- input t
{"k": "a", "v": 1, "ts": "2026-01-01 01:00:00"}
{"k": "b", "v": 2, "ts": "2026-01-01 00:30:00"}
{"k": "b", "v": 4, "ts": "2026-01-01 00:59:59"}

SELECT k, v, SUM(v) OVER (PARTITION BY k ORDER BY ts) AS s FROM t;
-- duckdb: SELECT k, v, sum(v) OVER (PARTITION BY k ORDER BY ts) AS s FROM t WHERE v <> 2

-- expect
{"k":"a","v":1,"s":1}
{"k":"b","v":4,"s":4}
-- rejected late 1
