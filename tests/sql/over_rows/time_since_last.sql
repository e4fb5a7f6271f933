-- The seconds since the key's last row, out of order rows sorted first.
CREATE TABLE t (k STRING, v INT, ts TIMESTAMP(3), WATERMARK FOR ts AS ts - INTERVAL '5' SECOND) WITH ('connector' = 'rows');

-- input t
{"k": "a", "v": 1, "ts": "2026-01-01 00:00:10"}
{"k": "a", "v": 2, "ts": "2026-01-01 00:00:07"}
{"k": "b", "v": 3, "ts": "2026-01-01 00:00:11"}
{"k": "a", "v": 4, "ts": "2026-01-01 00:01:00"}
{"k": "b", "v": 5, "ts": "2026-01-01 00:01:30"}

SELECT k, v, TIMESTAMPDIFF(SECOND, LAG(ts) OVER (PARTITION BY k ORDER BY ts), ts) AS since FROM t;
-- duckdb: SELECT k, v, datesub('second', lag(ts) OVER (PARTITION BY k ORDER BY ts), ts) AS since FROM t

-- expect
{"k":"a","v":1,"since":3}
{"k":"a","v":2,"since":null}
{"k":"a","v":4,"since":50}
{"k":"b","v":3,"since":null}
{"k":"b","v":5,"since":79}
