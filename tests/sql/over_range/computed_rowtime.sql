-- The time attribute is a computed column: milliseconds since 1970.
CREATE TABLE t (k STRING, v INT, ms BIGINT, ts AS TO_TIMESTAMP_LTZ(ms, 3), WATERMARK FOR ts AS ts - INTERVAL '1' SECOND) WITH ('connector' = 'rows');

-- input t
{"k": "a", "v": 1, "ms": -2000}
{"k": "a", "v": 2, "ms": -1000}
{"k": "a", "v": 4, "ms": 0}
{"k": "a", "v": 8, "ms": 1500}

SELECT v, SUM(v) OVER (PARTITION BY k ORDER BY ts RANGE BETWEEN INTERVAL '2' SECOND PRECEDING AND CURRENT ROW) AS s FROM t;
-- duckdb: SELECT v, sum(v) OVER (PARTITION BY k ORDER BY make_timestamp(ms * 1000) RANGE BETWEEN INTERVAL 2 SECOND PRECEDING AND CURRENT ROW) AS s FROM t

-- expect
{"v":1,"s":1}
{"v":2,"s":3}
{"v":4,"s":7}
{"v":8,"s":12}
