-- Least, largest and different values while rows leave, NULLs among them.
CREATE TABLE t (k STRING, v INT, ts TIMESTAMP(3), WATERMARK FOR ts AS ts - INTERVAL '5' SECOND) WITH ('connector' = 'rows');

-- input t
{"k": "a", "v": 5, "ts": "2026-01-01 00:00:10"}
{"k": "a", "v": 1, "ts": "2026-01-01 00:01:10"}
{"k": "a", "v": 5, "ts": "2026-01-01 00:02:10"}
{"k": "a", "v": null, "ts": "2026-01-01 00:03:10"}
{"k": "a", "v": 9, "ts": "2026-01-01 00:04:10"}
{"k": null, "v": 3, "ts": "2026-01-01 00:04:11"}

SELECT k, window_start, MIN(v) AS mi, MAX(v) AS ma, COUNT(DISTINCT v) AS d, COUNT(*) AS n, AVG(v) AS a
FROM HOP(TABLE t, DESCRIPTOR(ts), INTERVAL '1' MINUTE, INTERVAL '3' MINUTE) GROUP BY k, window_start, window_end;
-- duckdb: SELECT k, w AS window_start, min(v) AS mi, max(v) AS ma, count(DISTINCT v) AS d, count(*) AS n, CAST(trunc(avg(v)) AS INT) AS a
--   FROM (SELECT *, unnest(hop_starts(ts, 60, 180)) AS w FROM t) GROUP BY k, w

-- expect
{"k":"a","window_start":"2025-12-31 23:58:00","mi":5,"ma":5,"d":1,"n":1,"a":5}
{"k":"a","window_start":"2025-12-31 23:59:00","mi":1,"ma":5,"d":2,"n":2,"a":3}
{"k":"a","window_start":"2026-01-01 00:00:00","mi":1,"ma":5,"d":2,"n":3,"a":3}
{"k":"a","window_start":"2026-01-01 00:01:00","mi":1,"ma":5,"d":2,"n":3,"a":3}
{"k":"a","window_start":"2026-01-01 00:02:00","mi":5,"ma":9,"d":2,"n":3,"a":7}
{"k":"a","window_start":"2026-01-01 00:03:00","mi":9,"ma":9,"d":1,"n":2,"a":9}
{"k":"a","window_start":"2026-01-01 00:04:00","mi":9,"ma":9,"d":1,"n":1,"a":9}
{"k":null,"window_start":"2026-01-01 00:02:00","mi":3,"ma":3,"d":1,"n":1,"a":3}
{"k":null,"window_start":"2026-01-01 00:03:00","mi":3,"ma":3,"d":1,"n":1,"a":3}
{"k":null,"window_start":"2026-01-01 00:04:00","mi":3,"ma":3,"d":1,"n":1,"a":3}
