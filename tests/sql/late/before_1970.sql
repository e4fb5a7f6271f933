-- The same rule for negative times.
CREATE TABLE t (k STRING, v INT, ts TIMESTAMP(3), WATERMARK FOR ts AS ts - INTERVAL '0.001' SECOND) WITH ('connector' = 'rows');

-- input t
{"k": "a", "v": 1, "ts": "1969-12-31 23:59:59.500"}
{"k": "a", "v": 2, "ts": "1969-12-31 23:59:59.499"}
{"k": "a", "v": 4, "ts": "1969-12-31 23:59:59.500"}
{"k": "a", "v": 8, "ts": "1970-01-01 00:00:00"}
{"k": "a", "v": 16, "ts": "1969-12-31 23:59:59.999"}

SELECT v, SUM(v) OVER (PARTITION BY k ORDER BY ts) AS s FROM t;
-- duckdb: SELECT v, sum(v) OVER (PARTITION BY k ORDER BY ts) AS s FROM t WHERE v NOT IN (2, 16)

-- expect
{"v":1,"s":5}
{"v":4,"s":5}
{"v":8,"s":13}
-- rejected late 2
