-- A group by an expression, a condition on rows, arithmetic over aggregates.
CREATE TABLE t (k STRING, v INT, ts TIMESTAMP(3), WATERMARK FOR ts AS ts - INTERVAL '5' SECOND) WITH ('connector' = 'rows');

-- input t
{"k": "a", "v": 11, "ts": "2026-01-01 00:00:01"}
{"k": "b", "v": 22, "ts": "2026-01-01 00:00:02"}
{"k": "c", "v": 31, "ts": "2026-01-01 00:00:03"}
{"k": "c", "v": -1, "ts": "2026-01-01 00:00:04"}
{"k": "d", "v": null, "ts": "2026-01-01 00:00:05"}

SELECT v % 10 AS last_digit, COUNT(*) * 2 + 1 AS n, MAX(v) - MIN(v) AS spread FROM TUMBLE(TABLE t, DESCRIPTOR(ts), INTERVAL '1' MINUTE)
WHERE v IS NULL OR v > 0 GROUP BY v % 10, window_start, window_end;
-- duckdb: SELECT v % 10 AS last_digit, count(*) * 2 + 1 AS n, max(v) - min(v) AS spread FROM t WHERE v IS NULL OR v > 0 GROUP BY v % 10, tumble_start(ts, 60)

-- expect
{"last_digit":1,"n":5,"spread":20}
{"last_digit":2,"n":3,"spread":0}
{"last_digit":null,"n":3,"spread":null}
