-- Without PARTITION BY all rows are one partition, whatever the lanes.
CREATE TABLE t (k STRING, v INT, ts TIMESTAMP(3), WATERMARK FOR ts AS ts - INTERVAL '5' SECOND) WITH ('connector' = 'rows');

-- input t
{"k": "a", "v": 1, "ts": "2026-01-01 00:00:00"}
{"k": "b", "v": 2, "ts": "2026-01-01 00:00:02"}
{"k": "c", "v": 4, "ts": "2026-01-01 00:00:04"}
-- split
{"k": "d", "v": 8, "ts": "2026-01-01 00:00:01"}
{"k": "e", "v": 16, "ts": "2026-01-01 00:00:03"}
{"k": null, "v": 32, "ts": "2026-01-01 00:00:05"}

SELECT k, SUM(v) OVER (ORDER BY ts RANGE BETWEEN INTERVAL '2' SECOND PRECEDING AND CURRENT ROW) AS s FROM t;
-- duckdb: SELECT k, sum(v) OVER (ORDER BY ts RANGE BETWEEN INTERVAL 2 SECOND PRECEDING AND CURRENT ROW) AS s FROM t

-- expect
{"k":"a","s":1}
{"k":"b","s":11}
{"k":"c","s":22}
{"k":"d","s":9}
{"k":"e","s":26}
{"k":null,"s":52}
