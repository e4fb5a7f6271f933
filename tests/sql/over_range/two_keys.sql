-- Two partition columns, one an expression.
CREATE TABLE t (a INT, b STRING, v INT, ts TIMESTAMP(3), WATERMARK FOR ts AS ts - INTERVAL '5' SECOND) WITH ('connector' = 'rows');

-- input t
{"a": 1, "b": "x", "v": 1, "ts": "2026-01-01 00:00:00"}
{"a": 11, "b": "x", "v": 2, "ts": "2026-01-01 00:00:01"}
{"a": 1, "b": "y", "v": 4, "ts": "2026-01-01 00:00:02"}
{"a": 2, "b": "x", "v": 8, "ts": "2026-01-01 00:00:03"}
{"a": 12, "b": "x", "v": 16, "ts": "2026-01-01 00:00:04"}
{"a": null, "b": "x", "v": 32, "ts": "2026-01-01 00:00:04"}
{"a": null, "b": null, "v": 64, "ts": "2026-01-01 00:00:05"}
{"a": null, "b": null, "v": 128, "ts": "2026-01-01 00:00:06"}

SELECT v, SUM(v) OVER (PARTITION BY a % 10, b ORDER BY ts RANGE BETWEEN INTERVAL '1' HOUR PRECEDING AND CURRENT ROW) AS s FROM t;
-- duckdb: SELECT v, sum(v) OVER (PARTITION BY a % 10, b ORDER BY ts RANGE BETWEEN INTERVAL 1 HOUR PRECEDING AND CURRENT ROW) AS s FROM t

-- expect
{"v":1,"s":1}
{"v":128,"s":192}
{"v":16,"s":24}
{"v":2,"s":3}
{"v":32,"s":32}
{"v":4,"s":4}
{"v":64,"s":64}
{"v":8,"s":8}
