-- AVG of integers is cut toward zero, of doubles it is not.
CREATE TABLE t (k STRING, i INT, d DOUBLE, ts TIMESTAMP(3), WATERMARK FOR ts AS ts - INTERVAL '5' SECOND) WITH ('connector' = 'rows');

-- input t
{"k": "a", "i": 1, "d": 1.5, "ts": "2026-01-01 00:00:00"}
{"k": "a", "i": 2, "d": 2.5, "ts": "2026-01-01 00:00:10"}
{"k": "a", "i": -7, "d": -3, "ts": "2026-01-01 00:00:20"}
{"k": "a", "i": -4, "d": null, "ts": "2026-01-01 00:00:30"}
{"k": "b", "i": -1, "d": 0.1, "ts": "2026-01-01 00:00:30"}
{"k": "b", "i": -2, "d": 0.2, "ts": "2026-01-01 00:00:40"}

SELECT k, i, AVG(i) OVER w AS ai, AVG(d) OVER w AS ad, STDDEV_POP(d) OVER w AS sd, VAR_POP(i) OVER w AS vi FROM t
WINDOW w AS (PARTITION BY k ORDER BY ts RANGE BETWEEN INTERVAL '20' SECOND PRECEDING AND CURRENT ROW);
-- duckdb: SELECT k, i, CAST(trunc(avg(i) OVER w) AS INTEGER) AS ai, avg(d) OVER w AS ad, stddev_pop(d) OVER w AS sd, var_pop(i) OVER w AS vi FROM t
--   WINDOW w AS (PARTITION BY k ORDER BY ts RANGE BETWEEN INTERVAL 20 SECOND PRECEDING AND CURRENT ROW)

-- expect
{"k":"a","i":-4,"ai":-3,"ad":-0.25,"sd":2.75,"vi":14}
{"k":"a","i":-7,"ai":-1,"ad":0.3333333333333333,"sd":2.3921166824012206,"vi":16.22222222222222}
{"k":"a","i":1,"ai":1,"ad":1.5,"sd":0,"vi":0}
{"k":"a","i":2,"ai":1,"ad":2,"sd":0.5,"vi":0.25}
{"k":"b","i":-1,"ai":-1,"ad":0.1,"sd":0,"vi":0}
{"k":"b","i":-2,"ai":-1,"ad":0.15000000000000002,"sd":0.05,"vi":0.25}
