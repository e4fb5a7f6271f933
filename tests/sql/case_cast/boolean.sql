-- Truth values from texts and numbers.
CREATE TABLE t (s STRING, n INT) WITH ('connector' = 'rows');

-- input t
{"s": "true", "n": 1}
{"s": "FALSE", "n": 0}
{"s": "maybe", "n": 2}
{"s": null, "n": null}

SELECT TRY_CAST(s AS BOOLEAN) AS b, CAST(n AS BOOLEAN) AS nb, CAST(n > 0 AS INT) AS i FROM t;
-- duckdb: SELECT TRY_CAST(s AS BOOLEAN) AS b, CAST(n AS BOOLEAN) AS nb, CAST(n > 0 AS INT) AS i FROM t

-- expect
{"b":false,"nb":false,"i":0}
{"b":null,"nb":null,"i":null}
{"b":null,"nb":true,"i":1}
{"b":true,"nb":true,"i":1}
