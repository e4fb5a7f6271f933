-- Counts and means over the last minute of each key, closed at both ends; results on the watermark.
CREATE TABLE t (k STRING, v INT, ts TIMESTAMP(3), WATERMARK FOR ts AS ts - INTERVAL '5' SECOND) WITH ('connector' = 'rows');

-- input t
{"k": "a", "v": 1, "ts": "2026-01-01 00:00:00"}
{"k": "a", "v": 3, "ts": "2026-01-01 00:01:00"}
{"k": "a", "v": 5, "ts": "2026-01-01 00:01:01"}
{"k": "a", "v": 7, "ts": "2026-01-01 00:00:30"}
-- split
{"k": "b", "v": 2, "ts": "2026-01-01 00:00:10"}
{"k": "b", "v": 4, "ts": "2026-01-01 00:00:08"}

SELECT k, v, COUNT(*) OVER w AS n, SUM(v) OVER w AS s FROM t
WINDOW w AS (PARTITION BY k ORDER BY ts RANGE BETWEEN INTERVAL '1' MINUTE PRECEDING AND CURRENT ROW);

-- expect
{"k":"a","v":1,"n":1,"s":1}
{"k":"a","v":3,"n":2,"s":4}
{"k":"a","v":5,"n":2,"s":8}
{"k":"b","v":2,"n":2,"s":6}
{"k":"b","v":4,"n":1,"s":4}
-- rejected late 1
