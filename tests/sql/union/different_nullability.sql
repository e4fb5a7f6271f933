-- A NOT NULL side, a NULL literal and wider numbers: the common type takes them all.
CREATE TABLE t (a INT NOT NULL, c DECIMAL(5, 2) NOT NULL) WITH ('connector' = 'rows');
CREATE TABLE u (b BIGINT, d DOUBLE) WITH ('connector' = 'rows');

-- input t
{"a": 1, "c": 1.25}
-- input u
{"b": 5000000000, "d": 0.5}
{"b": null, "d": null}

SELECT a AS x, c AS y FROM t UNION ALL SELECT b, d FROM u UNION ALL SELECT NULL, 7 FROM t;
-- duckdb: SELECT a AS x, c AS y FROM t UNION ALL SELECT b, d FROM u UNION ALL SELECT NULL, 7 FROM t

-- expect
{"x":1,"y":1.25}
{"x":5000000000,"y":0.5}
{"x":null,"y":7}
{"x":null,"y":null}
