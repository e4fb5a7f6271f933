-- DOUBLE and DECIMAL to integers are cut toward zero (Flink; DuckDB rounds), to DECIMAL rounded half up.
CREATE TABLE t (d DOUBLE, c DECIMAL(8, 3)) WITH ('connector' = 'rows');

-- input t
{"d": 2.7, "c": 2.700}
{"d": -2.7, "c": -2.500}
{"d": 0.49, "c": 0.499}
{"d": null, "c": null}

SELECT CAST(d AS INT) AS di, CAST(c AS INT) AS ci, CAST(c AS DECIMAL(8, 1)) AS cc, CAST(c AS DOUBLE) AS cd FROM t;
-- duckdb: SELECT CAST(trunc(d) AS INT) AS di, CAST(trunc(c) AS INT) AS ci, CAST(round(c, 1) AS DECIMAL(8, 1)) AS cc, CAST(c AS DOUBLE) AS cd FROM t

-- expect
{"di":-2,"ci":-2,"cc":-2.5,"cd":-2.5}
{"di":0,"ci":0,"cc":0.5,"cd":0.499}
{"di":2,"ci":2,"cc":2.7,"cd":2.7}
{"di":null,"ci":null,"cc":null,"cd":null}
