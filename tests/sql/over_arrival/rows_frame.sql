-- The last two rows of the key in the order of time, in order input.
SET 'table.exec.over.emit' = 'on-arrival';
CREATE TABLE t (k STRING, v INT, ts TIMESTAMP(3), WATERMARK FOR ts AS ts - INTERVAL '5' SECOND) WITH ('connector' = 'rows');

-- input t
{"k": "a", "v": 1, "ts": "2026-01-01 00:00:10"}
{"k": "b", "v": 2, "ts": "2026-01-01 00:00:11"}
{"k": "a", "v": 4, "ts": "2026-01-01 00:00:12"}
{"k": "a", "v": 8, "ts": "2026-01-01 00:00:13"}
{"k": "b", "v": 16, "ts": "2026-01-01 00:00:14"}

SELECT k, v, SUM(v) OVER (PARTITION BY k ORDER BY ts ROWS BETWEEN 1 PRECEDING AND CURRENT ROW) AS s FROM t;
-- duckdb: SELECT k, v, sum(v) OVER (PARTITION BY k ORDER BY ts ROWS BETWEEN 1 PRECEDING AND CURRENT ROW) AS s FROM t

-- expect
{"k":"a","v":1,"s":1}
{"k":"a","v":4,"s":5}
{"k":"a","v":8,"s":12}
{"k":"b","v":16,"s":18}
{"k":"b","v":2,"s":2}
