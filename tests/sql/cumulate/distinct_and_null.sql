-- Different values over growing windows, and a NULL key.
CREATE TABLE t (k STRING, v INT, ts TIMESTAMP(3), WATERMARK FOR ts AS ts - INTERVAL '5' SECOND) WITH ('connector' = 'rows');

-- input t
{"k": "a", "v": 1, "ts": "2026-01-01 00:00:10"}
{"k": "a", "v": 1, "ts": "2026-01-01 00:00:40"}
{"k": null, "v": null, "ts": "2026-01-01 00:00:50"}
{"k": "a", "v": 2, "ts": "2026-01-01 00:01:10"}
{"k": null, "v": 7, "ts": "2026-01-01 00:01:20"}

SELECT k, window_end, COUNT(DISTINCT v) AS d, MAX(v) AS m FROM CUMULATE(TABLE t, DESCRIPTOR(ts), INTERVAL '30' SECOND, INTERVAL '2' MINUTE) GROUP BY k, window_start, window_end;
-- duckdb: SELECT k, e AS window_end, count(DISTINCT v) AS d, max(v) AS m FROM (SELECT *, unnest(cumulate_ends(ts, 30, 120)) AS e FROM t) GROUP BY k, e

-- expect
{"k":"a","window_end":"2026-01-01 00:00:30","d":1,"m":1}
{"k":"a","window_end":"2026-01-01 00:01:00","d":1,"m":1}
{"k":"a","window_end":"2026-01-01 00:01:30","d":2,"m":2}
{"k":"a","window_end":"2026-01-01 00:02:00","d":2,"m":2}
{"k":null,"window_end":"2026-01-01 00:01:00","d":0,"m":null}
{"k":null,"window_end":"2026-01-01 00:01:30","d":1,"m":7}
{"k":null,"window_end":"2026-01-01 00:02:00","d":1,"m":7}
