-- FIRST_VALUE and LAST_VALUE of a window leave NULLs out; in order input.
CREATE TABLE t (k STRING, v INT, ts TIMESTAMP(3), WATERMARK FOR ts AS ts - INTERVAL '5' SECOND) WITH ('connector' = 'rows');

-- input t
{"k": "a", "v": null, "ts": "2026-01-01 00:00:10"}
{"k": "a", "v": 2, "ts": "2026-01-01 00:00:11"}
{"k": "a", "v": 3, "ts": "2026-01-01 00:00:12"}
{"k": "a", "v": null, "ts": "2026-01-01 00:00:13"}

SELECT k, FIRST_VALUE(v) AS f, LAST_VALUE(v) AS l FROM TUMBLE(TABLE t, DESCRIPTOR(ts), INTERVAL '1' MINUTE) GROUP BY k, window_start, window_end;
-- duckdb: SELECT k, arg_min(v, ts) AS f, arg_max(v, ts) AS l FROM t WHERE v IS NOT NULL GROUP BY k

-- expect
{"k":"a","f":2,"l":3}
