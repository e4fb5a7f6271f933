-- COALESCE, IFNULL, NULLIF and IF.
CREATE TABLE t (a INT, b INT) WITH ('connector' = 'rows');

-- input t
{"a": 1, "b": 1}
{"a": null, "b": 2}
{"a": 3, "b": null}
{"a": null, "b": null}

SELECT COALESCE(a, b, -1) AS c, IFNULL(a, 9) AS i, NULLIF(a, b) AS n, IF(a > 2, 'big', 'small') AS f, COALESCE(a, b * 1.5) AS mixed FROM t;
-- duckdb: SELECT coalesce(a, b, -1) AS c, ifnull(a, 9) AS i, nullif(a, b) AS n, CASE WHEN a > 2 THEN 'big' ELSE 'small' END AS f,
--   coalesce(a, b * 1.5) AS mixed FROM t

-- expect
{"c":-1,"i":9,"n":null,"f":"small","mixed":null}
{"c":1,"i":1,"n":null,"f":"small","mixed":1.0}
{"c":2,"i":9,"n":null,"f":"small","mixed":3.0}
{"c":3,"i":3,"n":3,"f":"big","mixed":3.0}
