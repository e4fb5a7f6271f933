-- RANGE: rows of the same time are peers and share their value.
CREATE TABLE t (k STRING, v INT, ts TIMESTAMP(3), WATERMARK FOR ts AS ts - INTERVAL '5' SECOND) WITH ('connector' = 'rows');

-- input t
{"k": "a", "v": 1, "ts": "2026-01-01 00:00:01"}
{"k": "a", "v": 2, "ts": "2026-01-01 00:00:01"}
{"k": "a", "v": 4, "ts": "2026-01-01 00:00:02"}
{"k": "a", "v": 8, "ts": "2026-01-01 00:00:01"}
{"k": "a", "v": 16, "ts": "2026-01-01 00:00:02"}

SELECT v, SUM(v) OVER w AS s, COUNT(*) OVER w AS n FROM t
WINDOW w AS (PARTITION BY k ORDER BY ts RANGE BETWEEN INTERVAL '10' SECOND PRECEDING AND CURRENT ROW);
-- duckdb: SELECT v, sum(v) OVER w AS s, count(*) OVER w AS n FROM t
--   WINDOW w AS (PARTITION BY k ORDER BY ts RANGE BETWEEN INTERVAL 10 SECOND PRECEDING AND CURRENT ROW)

-- expect
{"v":1,"s":11,"n":3}
{"v":16,"s":31,"n":5}
{"v":2,"s":11,"n":3}
{"v":4,"s":31,"n":5}
{"v":8,"s":11,"n":3}
