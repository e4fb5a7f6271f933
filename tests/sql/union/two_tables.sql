-- UNION ALL keeps all rows, equal ones too.
CREATE TABLE t (a INT, s STRING) WITH ('connector' = 'rows');
CREATE TABLE u (a INT, s STRING) WITH ('connector' = 'rows');

-- input t
{"a": 1, "s": "x"}
{"a": 1, "s": "x"}
{"a": null, "s": null}
-- input u
{"a": 1, "s": "x"}
{"a": 2, "s": "ü"}

SELECT a, s FROM t UNION ALL SELECT a, s FROM u;
-- duckdb: SELECT a, s FROM t UNION ALL SELECT a, s FROM u

-- expect
{"a":1,"s":"x"}
{"a":1,"s":"x"}
{"a":1,"s":"x"}
{"a":2,"s":"ü"}
{"a":null,"s":null}
