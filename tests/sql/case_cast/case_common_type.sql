-- Branches of different types: INT and DECIMAL and DOUBLE.
CREATE TABLE t (a INT, c DECIMAL(6, 2), d DOUBLE) WITH ('connector' = 'rows');

-- input t
{"a": 1, "c": 1.25, "d": 0.125}
{"a": 2, "c": 1.25, "d": 0.125}
{"a": 3, "c": 1.25, "d": 0.125}

SELECT a, CASE a WHEN 1 THEN a WHEN 2 THEN c END AS x, CASE a WHEN 1 THEN a WHEN 2 THEN c ELSE d END AS y FROM t;
-- duckdb: SELECT a, CASE a WHEN 1 THEN a WHEN 2 THEN c END AS x, CASE a WHEN 1 THEN a WHEN 2 THEN c ELSE d END AS y FROM t

-- expect
{"a":1,"x":1.00,"y":1}
{"a":2,"x":1.25,"y":1.25}
{"a":3,"x":null,"y":0.125}
