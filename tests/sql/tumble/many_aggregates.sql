-- Integers, doubles, decimals and texts.
CREATE TABLE t (k INT, i INT, d DOUBLE, c DECIMAL(8, 2), s STRING, ts TIMESTAMP(3), WATERMARK FOR ts AS ts - INTERVAL '5' SECOND) WITH ('connector' = 'rows');

-- input t
{"k": 1, "i": 5, "d": 0.5, "c": 1.10, "s": "ü", "ts": "2026-01-01 00:00:01"}
{"k": 1, "i": -8, "d": 1.5, "c": 2.25, "s": "a", "ts": "2026-01-01 00:00:02"}
{"k": 1, "i": null, "d": null, "c": null, "s": null, "ts": "2026-01-01 00:00:03"}
{"k": 2, "i": 1, "d": 1, "c": 99999.99, "s": "q'\"x", "ts": "2026-01-01 00:00:04"}
{"k": 1, "i": 4, "d": 10, "c": 0.01, "s": "z", "ts": "2026-01-01 00:01:04"}

SELECT k, window_end, SUM(i) AS si, AVG(i) AS ai, AVG(d) AS ad, STDDEV_POP(d) AS sd, SUM(c) AS sc, MIN(c) AS mc, MIN(s) AS ms, MAX(s) AS xs
FROM TUMBLE(TABLE t, DESCRIPTOR(ts), INTERVAL '1' MINUTE) GROUP BY window_start, window_end, k;
-- duckdb: SELECT k, tumble_start(ts, 60) + INTERVAL 1 MINUTE AS window_end, sum(i) AS si, CAST(trunc(avg(i)) AS INT) AS ai, avg(d) AS ad, stddev_pop(d) AS sd, sum(c) AS sc,
--   min(c) AS mc, min(s) AS ms, max(s) AS xs FROM t GROUP BY k, tumble_start(ts, 60)

-- expect
{"k":1,"window_end":"2026-01-01 00:01:00","si":-3,"ai":-1,"ad":1,"sd":0.5,"sc":3.35,"mc":1.10,"ms":"a","xs":"ü"}
{"k":1,"window_end":"2026-01-01 00:02:00","si":4,"ai":4,"ad":10,"sd":0,"sc":0.01,"mc":0.01,"ms":"z","xs":"z"}
{"k":2,"window_end":"2026-01-01 00:01:00","si":1,"ai":1,"ad":1,"sd":0,"sc":99999.99,"mc":99999.99,"ms":"q'\"x","xs":"q'\"x"}
