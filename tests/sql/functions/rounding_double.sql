-- FLOOR, CEIL and ROUND of doubles.
CREATE TABLE t (d DOUBLE) WITH ('connector' = 'rows');

-- input t
{"d": 1.5}
{"d": -1.5}
{"d": 2.4}
{"d": -2.6}
{"d": 0}
{"d": null}

SELECT d, FLOOR(d) AS f, CEIL(d) AS c, CEILING(d) AS c2, ROUND(d) AS r FROM t;
-- duckdb: SELECT d, floor(d) AS f, ceil(d) AS c, ceil(d) AS c2, round(d) AS r FROM t

-- expect
{"d":-1.5,"f":-2,"c":-1,"c2":-1,"r":-2}
{"d":-2.6,"f":-3,"c":-2,"c2":-2,"r":-3}
{"d":0,"f":0,"c":0,"c2":0,"r":0}
{"d":1.5,"f":1,"c":2,"c2":2,"r":2}
{"d":2.4,"f":2,"c":3,"c2":3,"r":2}
{"d":null,"f":null,"c":null,"c2":null,"r":null}
