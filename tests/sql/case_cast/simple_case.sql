-- CASE with an operand: NULL equals nothing, not even NULL.
CREATE TABLE t (s STRING) WITH ('connector' = 'rows');

-- input t
{"s": "a"}
{"s": "b"}
{"s": null}

SELECT s, CASE s WHEN 'a' THEN 1 WHEN 'b' THEN 2 ELSE 3 END AS n, CASE s WHEN NULL THEN 'null' ELSE 'else' END AS m FROM t;
-- duckdb: SELECT s, CASE s WHEN 'a' THEN 1 WHEN 'b' THEN 2 ELSE 3 END AS n, CASE s WHEN NULL THEN 'null' ELSE 'else' END AS m FROM t

-- expect
{"s":"a","n":1,"m":"else"}
{"s":"b","n":2,"m":"else"}
{"s":null,"n":3,"m":"else"}
