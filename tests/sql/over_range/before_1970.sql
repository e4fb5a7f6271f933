-- Negative times: the frame goes across 1970.
CREATE TABLE t (k STRING, v INT, ts TIMESTAMP(3), WATERMARK FOR ts AS ts - INTERVAL '5' SECOND) WITH ('connector' = 'rows');

-- input t
{"k": "a", "v": 1, "ts": "1969-12-31 23:59:58"}
{"k": "a", "v": 2, "ts": "1969-12-31 23:59:59.999"}
{"k": "a", "v": 4, "ts": "1970-01-01 00:00:00"}
{"k": "a", "v": 8, "ts": "1970-01-01 00:00:01.999"}
{"k": "a", "v": 16, "ts": "1970-01-01 00:00:02"}

SELECT v, SUM(v) OVER (PARTITION BY k ORDER BY ts RANGE BETWEEN INTERVAL '2' SECOND PRECEDING AND CURRENT ROW) AS s FROM t;
-- duckdb: SELECT v, sum(v) OVER (PARTITION BY k ORDER BY ts RANGE BETWEEN INTERVAL 2 SECOND PRECEDING AND CURRENT ROW) AS s FROM t

-- expect
{"v":1,"s":1}
{"v":16,"s":28}
{"v":2,"s":3}
{"v":4,"s":7}
{"v":8,"s":14}
