-- ROW_NUMBER per key and of all.
CREATE TABLE t (k STRING, v INT, ts TIMESTAMP(3), WATERMARK FOR ts AS ts - INTERVAL '5' SECOND) WITH ('connector' = 'rows');

-- input t
{"k": "a", "v": 1, "ts": "2026-01-01 00:00:03"}
{"k": "b", "v": 2, "ts": "2026-01-01 00:00:01"}
{"k": "a", "v": 3, "ts": "2026-01-01 00:00:02"}
{"k": null, "v": 4, "ts": "2026-01-01 00:00:04"}
{"k": "a", "v": 5, "ts": "2026-01-01 00:00:05"}

SELECT k, v, ROW_NUMBER() OVER (PARTITION BY k ORDER BY ts) AS rk, ROW_NUMBER() OVER (ORDER BY ts) AS r FROM t;
-- duckdb: SELECT k, v, row_number() OVER (PARTITION BY k ORDER BY ts) AS rk, row_number() OVER (ORDER BY ts) AS r FROM t

-- expect
{"k":"a","v":1,"rk":2,"r":3}
{"k":"a","v":3,"rk":1,"r":2}
{"k":"a","v":5,"rk":3,"r":5}
{"k":"b","v":2,"rk":1,"r":1}
{"k":null,"v":4,"rk":1,"r":4}
