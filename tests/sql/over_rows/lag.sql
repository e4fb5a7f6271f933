-- LAG at the start of a partition is NULL; offsets beyond it too; NULLs are values.
CREATE TABLE t (k STRING, v INT, ts TIMESTAMP(3), WATERMARK FOR ts AS ts - INTERVAL '5' SECOND) WITH ('connector' = 'rows');

-- input t
{"k": "a", "v": 1, "ts": "2026-01-01 00:00:01"}
{"k": "b", "v": 2, "ts": "2026-01-01 00:00:02"}
{"k": "a", "v": null, "ts": "2026-01-01 00:00:03"}
{"k": "a", "v": 4, "ts": "2026-01-01 00:00:04"}
{"k": "b", "v": 5, "ts": "2026-01-01 00:00:05"}
{"k": null, "v": 6, "ts": "2026-01-01 00:00:06"}

SELECT k, v, LAG(v) OVER w AS before, LAG(v, 2) OVER w AS before2, COALESCE(LAG(k) OVER w, '-') AS lk, LAG(ts) OVER w AS lts FROM t
WINDOW w AS (PARTITION BY k ORDER BY ts);
-- duckdb: SELECT k, v, lag(v) OVER w AS before, lag(v, 2) OVER w AS before2, coalesce(lag(k) OVER w, '-') AS lk, lag(ts) OVER w AS lts FROM t
--   WINDOW w AS (PARTITION BY k ORDER BY ts)

-- expect
{"k":"a","v":1,"before":null,"before2":null,"lk":"-","lts":null}
{"k":"a","v":4,"before":null,"before2":1,"lk":"a","lts":"2026-01-01 00:00:03"}
{"k":"a","v":null,"before":1,"before2":null,"lk":"a","lts":"2026-01-01 00:00:01"}
{"k":"b","v":2,"before":null,"before2":null,"lk":"-","lts":null}
{"k":"b","v":5,"before":2,"before2":null,"lk":"b","lts":"2026-01-01 00:00:02"}
{"k":null,"v":6,"before":null,"before2":null,"lk":"-","lts":null}
