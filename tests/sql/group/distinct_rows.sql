-- SELECT DISTINCT; NULL is equal to NULL here.
CREATE TABLE t (k STRING, v INT) WITH ('connector' = 'rows');

-- input t
{"k": "a", "v": 1}
{"k": "a", "v": 1}
{"k": null, "v": 1}
{"k": null, "v": 1}
{"k": "a", "v": null}
{"k": "a", "v": null}

SELECT DISTINCT k, v FROM t;
-- duckdb: SELECT DISTINCT k, v FROM t

-- expect
{"k":"a","v":1}
{"k":"a","v":null}
{"k":null,"v":1}
