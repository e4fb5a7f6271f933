-- FIRST_VALUE and LAST_VALUE leave NULLs out (docs/functions.md), in the order of time.
CREATE TABLE t (k STRING, v INT, ts TIMESTAMP(3), WATERMARK FOR ts AS ts - INTERVAL '5' SECOND) WITH ('connector' = 'rows');

-- input t
{"k": "a", "v": null, "ts": "2026-01-01 00:00:00"}
{"k": "a", "v": 4, "ts": "2026-01-01 00:00:01"}
{"k": "a", "v": 6, "ts": "2026-01-01 00:00:02"}
{"k": "a", "v": null, "ts": "2026-01-01 00:00:04"}
{"k": "a", "v": null, "ts": "2026-01-01 00:00:30"}

SELECT ts, FIRST_VALUE(v) OVER w AS f, LAST_VALUE(v) OVER w AS l FROM t
WINDOW w AS (PARTITION BY k ORDER BY ts RANGE BETWEEN INTERVAL '3' SECOND PRECEDING AND CURRENT ROW);
-- duckdb: SELECT ts, first_value(v IGNORE NULLS) OVER w AS f, last_value(v IGNORE NULLS) OVER w AS l FROM t
--   WINDOW w AS (PARTITION BY k ORDER BY ts RANGE BETWEEN INTERVAL 3 SECOND PRECEDING AND CURRENT ROW)

-- expect
{"ts":"2026-01-01 00:00:00","f":null,"l":null}
{"ts":"2026-01-01 00:00:01","f":4,"l":4}
{"ts":"2026-01-01 00:00:02","f":4,"l":6}
{"ts":"2026-01-01 00:00:04","f":4,"l":6}
{"ts":"2026-01-01 00:00:30","f":null,"l":null}
