-- NULL is a key with sessions of its own.
CREATE TABLE t (k STRING, v INT, ts TIMESTAMP(3), WATERMARK FOR ts AS ts - INTERVAL '5' SECOND) WITH ('connector' = 'rows');

-- input t
{"k": null, "v": 1, "ts": "2026-01-01 00:00:00"}
{"k": "a", "v": 2, "ts": "2026-01-01 00:00:05"}
{"k": null, "v": 4, "ts": "2026-01-01 00:00:09"}
{"k": null, "v": 8, "ts": "2026-01-01 00:01:00"}

SELECT k, window_start, SUM(v) AS s FROM SESSION(TABLE t PARTITION BY k, DESCRIPTOR(ts), INTERVAL '10' SECOND) GROUP BY k, window_start, window_end;
-- duckdb: SELECT k, min(ts) AS window_start, sum(v) AS s FROM (SELECT *, sum(CAST(n AS INT)) OVER (PARTITION BY k ORDER BY ts) AS g FROM
--   (SELECT *, coalesce(ts - lag(ts) OVER (PARTITION BY k ORDER BY ts) > INTERVAL 10 SECOND, true) AS n FROM t)) GROUP BY k, g

-- expect
{"k":"a","window_start":"2026-01-01 00:00:05","s":2}
{"k":null,"window_start":"2026-01-01 00:00:00","s":5}
{"k":null,"window_start":"2026-01-01 00:01:00","s":8}
