-- ROUND goes away from zero at halves, TRUNCATE toward zero, FLOOR down and CEIL up.
CREATE TABLE t (c DECIMAL(8, 3)) WITH ('connector' = 'rows');

-- input t
{"c": 2.675}
{"c": -2.675}
{"c": 1.005}
{"c": -0.500}
{"c": 0.499}
{"c": 12345.678}
{"c": null}

SELECT c, ROUND(c, 2) AS r2, ROUND(c, 0) AS r0, FLOOR(c) AS f, CEIL(c) AS u, TRUNCATE(c, 1) AS t1 FROM t;
-- duckdb: SELECT c, round(c, 2) AS r2, round(c, 0) AS r0, floor(c) AS f, ceil(c) AS u,
--   CAST(sign(c) * floor(abs(c) * 10) / 10 AS DECIMAL(8, 1)) AS t1 FROM t

-- expect
{"c":-0.500,"r2":-0.50,"r0":-1,"f":-1,"u":0,"t1":-0.5}
{"c":-2.675,"r2":-2.68,"r0":-3,"f":-3,"u":-2,"t1":-2.6}
{"c":0.499,"r2":0.50,"r0":0,"f":0,"u":1,"t1":0.4}
{"c":1.005,"r2":1.01,"r0":1,"f":1,"u":2,"t1":1.0}
{"c":12345.678,"r2":12345.68,"r0":12346,"f":12345,"u":12346,"t1":12345.6}
{"c":2.675,"r2":2.68,"r0":3,"f":2,"u":3,"t1":2.6}
{"c":null,"r2":null,"r0":null,"f":null,"u":null,"t1":null}
