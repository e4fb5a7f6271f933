-- A comparison with NULL is NULL; IS [NOT] DISTINCT FROM never is.
CREATE TABLE t (a INT, b INT) WITH ('connector' = 'rows');

-- input t
{"a": 1, "b": 2}
{"a": 2, "b": 2}
{"a": null, "b": 2}
{"a": 2, "b": null}
{"a": null, "b": null}

SELECT a, b, a < b AS lt, a <= b AS le, a = b AS eq, a <> b AS ne, a >= b AS ge, a > b AS gt, a IS DISTINCT FROM b AS d, a IS NOT DISTINCT FROM b AS nd
FROM t;
-- duckdb: SELECT a, b, a < b AS lt, a <= b AS le, a = b AS eq, a <> b AS ne, a >= b AS ge, a > b AS gt, a IS DISTINCT FROM b AS d,
--   a IS NOT DISTINCT FROM b AS nd FROM t

-- expect
{"a":1,"b":2,"lt":true,"le":true,"eq":false,"ne":true,"ge":false,"gt":false,"d":true,"nd":false}
{"a":2,"b":2,"lt":false,"le":true,"eq":true,"ne":false,"ge":true,"gt":false,"d":false,"nd":true}
{"a":2,"b":null,"lt":null,"le":null,"eq":null,"ne":null,"ge":null,"gt":null,"d":true,"nd":false}
{"a":null,"b":2,"lt":null,"le":null,"eq":null,"ne":null,"ge":null,"gt":null,"d":true,"nd":false}
{"a":null,"b":null,"lt":null,"le":null,"eq":null,"ne":null,"ge":null,"gt":null,"d":false,"nd":true}
