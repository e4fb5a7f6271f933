-- NULL is a key like others: its rows make one partition.
CREATE TABLE t (k STRING, v INT, ts TIMESTAMP(3), WATERMARK FOR ts AS ts - INTERVAL '5' SECOND) WITH ('connector' = 'rows');

-- input t
{"k": null, "v": 1, "ts": "2026-01-01 00:00:01"}
{"k": "a", "v": 2, "ts": "2026-01-01 00:00:02"}
{"k": null, "v": 4, "ts": "2026-01-01 00:00:03"}
{"v": 8, "ts": "2026-01-01 00:00:04"}
{"k": "", "v": 16, "ts": "2026-01-01 00:00:05"}

SELECT k, v, SUM(v) OVER (PARTITION BY k ORDER BY ts RANGE BETWEEN INTERVAL '1' HOUR PRECEDING AND CURRENT ROW) AS s FROM t;
-- duckdb: SELECT k, v, sum(v) OVER (PARTITION BY k ORDER BY ts RANGE BETWEEN INTERVAL 1 HOUR PRECEDING AND CURRENT ROW) AS s FROM t

-- expect
{"k":"","v":16,"s":16}
{"k":"a","v":2,"s":2}
{"k":null,"v":1,"s":1}
{"k":null,"v":4,"s":5}
{"k":null,"v":8,"s":13}
