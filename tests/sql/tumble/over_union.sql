-- A window over a view of two tables.
CREATE TABLE t (v INT, ts TIMESTAMP(3), WATERMARK FOR ts AS ts) WITH ('connector' = 'rows');
CREATE TABLE u (v INT NOT NULL, ts TIMESTAMP(3), WATERMARK FOR ts AS ts) WITH ('connector' = 'rows');

-- input t
{"v": 1, "ts": "2026-01-01 00:00:10"}
{"v": null, "ts": "2026-01-01 00:01:10"}
-- input u
{"v": 4, "ts": "2026-01-01 00:00:09"}
{"v": 8, "ts": "2026-01-01 00:02:10"}

CREATE VIEW both_of_them AS SELECT v, ts FROM t UNION ALL SELECT v, ts FROM u;
SELECT window_start, COUNT(v) AS c, SUM(v) AS s FROM TUMBLE(TABLE both_of_them, DESCRIPTOR(ts), INTERVAL '1' MINUTE) GROUP BY window_start, window_end;
-- duckdb: SELECT tumble_start(ts, 60) AS window_start, count(v) AS c, sum(v) AS s FROM (SELECT v, ts FROM t UNION ALL SELECT v, ts FROM u) GROUP BY ALL

-- expect
{"window_start":"2026-01-01 00:00:00","c":2,"s":5}
{"window_start":"2026-01-01 00:01:00","c":0,"s":null}
{"window_start":"2026-01-01 00:02:00","c":1,"s":8}
