-- No keys: one row for all.
CREATE TABLE t (k STRING, c DECIMAL(10, 2)) WITH ('connector' = 'rows');

-- input t
{"k": "a", "c": 1.10}
{"k": "b", "c": 2.20}
{"k": null, "c": null}
-- split
{"k": "c", "c": -0.30}

SELECT COUNT(*) AS n, SUM(c) AS s, COUNT(DISTINCT k) AS d, MAX(k) AS m FROM t;
-- duckdb: SELECT count(*) AS n, sum(c) AS s, count(DISTINCT k) AS d, max(k) AS m FROM t

-- expect
{"n":4,"s":3.0,"d":3,"m":"c"}
