-- IN with a NULL in its list is never FALSE, NOT IN never TRUE.
CREATE TABLE t (a INT, s STRING) WITH ('connector' = 'rows');

-- input t
{"a": 1, "s": "x"}
{"a": 4, "s": "y"}
{"a": null, "s": null}

SELECT a, a IN (1, 2, 3) AS i, a NOT IN (1, 2, 3) AS n, a IN (1, NULL) AS i_null, a NOT IN (1, NULL) AS n_null, s IN ('x', 'z') AS st FROM t;
-- duckdb: SELECT a, a IN (1, 2, 3) AS i, a NOT IN (1, 2, 3) AS n, a IN (1, NULL) AS i_null, a NOT IN (1, NULL) AS n_null, s IN ('x', 'z') AS st FROM t

-- expect
{"a":1,"i":true,"n":false,"i_null":true,"n_null":false,"st":true}
{"a":4,"i":false,"n":true,"i_null":null,"n_null":null,"st":false}
{"a":null,"i":null,"n":null,"i_null":null,"n_null":null,"st":null}
