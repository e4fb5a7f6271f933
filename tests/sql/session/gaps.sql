-- A session ends a gap after its last row. A row a millisecond before that joins.
CREATE TABLE t (k STRING, v INT, ts TIMESTAMP(3), WATERMARK FOR ts AS ts - INTERVAL '5' SECOND) WITH ('connector' = 'rows');

-- input t
{"k": "a", "v": 1, "ts": "2026-01-01 00:00:00"}
{"k": "a", "v": 2, "ts": "2026-01-01 00:00:09.999"}
{"k": "a", "v": 4, "ts": "2026-01-01 00:00:30"}
{"k": "b", "v": 8, "ts": "2026-01-01 00:00:31"}
{"k": "a", "v": 16, "ts": "2026-01-01 00:00:35"}

SELECT k, window_start, window_end, SUM(v) AS s FROM SESSION(TABLE t PARTITION BY k, DESCRIPTOR(ts), INTERVAL '10' SECOND) GROUP BY k, window_start, window_end;
-- duckdb: SELECT k, min(ts) AS window_start, max(ts) + INTERVAL 10 SECOND AS window_end, sum(v) AS s FROM (SELECT *, sum(CAST(n AS INT)) OVER (PARTITION BY k ORDER BY ts) AS g FROM
--   (SELECT *, coalesce(ts - lag(ts) OVER (PARTITION BY k ORDER BY ts) > INTERVAL 10 SECOND, true) AS n FROM t)) GROUP BY k, g

-- expect
{"k":"a","window_start":"2026-01-01 00:00:00","window_end":"2026-01-01 00:00:19.999","s":3}
{"k":"a","window_start":"2026-01-01 00:00:30","window_end":"2026-01-01 00:00:45","s":20}
{"k":"b","window_start":"2026-01-01 00:00:31","window_end":"2026-01-01 00:00:41","s":8}
