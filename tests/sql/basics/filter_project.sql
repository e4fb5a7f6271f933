-- A filter and a projection with arithmetic, text functions and NULLs.
CREATE TABLE t (id BIGINT, name STRING, amount DOUBLE) WITH ('connector' = 'rows');

-- input t
{"id": 1, "name": "ada", "amount": 2.5}
{"id": 2, "name": "bob", "amount": 10}
{"id": 3, "name": null, "amount": 30.25}
-- split
{"id": 4, "name": "eve", "amount": null}

SELECT id * 10 AS id10, UPPER(name) AS upper_name, amount + 1 AS more FROM t WHERE id <> 2;

-- duckdb: SELECT id * 10 AS id10, upper(name) AS upper_name, amount + 1 AS more FROM t WHERE id <> 2

-- expect
{"id10": 10, "upper_name": "ADA", "more": 3.5}
{"id10": 30, "upper_name": null, "more": 31.25}
{"id10": 40, "upper_name": "EVE", "more": null}
