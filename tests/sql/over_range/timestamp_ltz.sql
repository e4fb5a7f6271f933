-- A TIMESTAMP_LTZ as the time attribute.
CREATE TABLE t (k STRING, v INT, ts TIMESTAMP_LTZ(3), WATERMARK FOR ts AS ts - INTERVAL '5' SECOND) WITH ('connector' = 'rows');

-- input t
{"k": "a", "v": 1, "ts": "2026-03-29 00:59:59"}
{"k": "a", "v": 2, "ts": "2026-03-29 01:00:00"}
{"k": "a", "v": 4, "ts": "2026-03-29 01:00:01"}

SELECT v, SUM(v) OVER (PARTITION BY k ORDER BY ts RANGE BETWEEN INTERVAL '1' SECOND PRECEDING AND CURRENT ROW) AS s FROM t;
-- duckdb: SELECT v, sum(v) OVER (PARTITION BY k ORDER BY ts RANGE BETWEEN INTERVAL 1 SECOND PRECEDING AND CURRENT ROW) AS s FROM t

-- expect
{"v":1,"s":1}
{"v":2,"s":3}
{"v":4,"s":6}
