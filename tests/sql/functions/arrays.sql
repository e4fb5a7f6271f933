-- Elements are counted from 1; beyond the end, and of NULL, is NULL.
CREATE TABLE t (a ARRAY<INT>, i INT) WITH ('connector' = 'rows');

-- input t
{"a": [10, 20, null], "i": 2}
{"a": [10, 20, null], "i": 3}
{"a": [10], "i": 2}
{"a": [], "i": 1}
{"a": null, "i": 1}
{"a": [5], "i": null}

SELECT a, a[1] AS first_one, a[i] AS at_i, CARDINALITY(a) AS n, ARRAY_CONTAINS(a, 20) AS has FROM t WHERE a IS NOT NULL;
-- duckdb: SELECT a, a[1] AS first_one, a[i] AS at_i, len(a) AS n, list_contains(a, 20) AS has FROM t WHERE a IS NOT NULL

-- expect
{"a":[10,20,null],"first_one":10,"at_i":20,"n":3,"has":true}
{"a":[10,20,null],"first_one":10,"at_i":null,"n":3,"has":true}
{"a":[10],"first_one":10,"at_i":null,"n":1,"has":false}
{"a":[5],"first_one":5,"at_i":null,"n":1,"has":false}
{"a":[],"first_one":null,"at_i":null,"n":0,"has":false}
