-- NULL is a group; NULLs are left out by aggregates.
CREATE TABLE t (k STRING, v INT, ts TIMESTAMP(3), WATERMARK FOR ts AS ts - INTERVAL '5' SECOND) WITH ('connector' = 'rows');

-- input t
{"k": null, "v": 1, "ts": "2026-01-01 00:00:00"}
{"k": null, "v": null, "ts": "2026-01-01 00:00:01"}
{"k": "a", "v": null, "ts": "2026-01-01 00:00:02"}
{"k": "a", "v": null, "ts": "2026-01-01 00:00:03"}

SELECT k, COUNT(*) AS n, COUNT(v) AS c, SUM(v) AS s, AVG(v) AS a, MIN(v) AS mi FROM TUMBLE(TABLE t, DESCRIPTOR(ts), INTERVAL '1' MINUTE) GROUP BY k, window_start, window_end;
-- duckdb: SELECT k, count(*) AS n, count(v) AS c, sum(v) AS s, CAST(trunc(avg(v)) AS INTEGER) AS a, min(v) AS mi FROM t GROUP BY k, tumble_start(ts, 60)

-- expect
{"k":"a","n":2,"c":0,"s":null,"a":null,"mi":null}
{"k":null,"n":2,"c":1,"s":1,"a":1,"mi":1}
