-- Regular expressions; DuckDB uses the same library.
CREATE TABLE t (s STRING) WITH ('connector' = 'rows');

-- input t
{"s": "order 4711"}
{"s": "no number"}
{"s": "a1b22c333"}
{"s": null}

SELECT s, REGEXP(s, '[0-9]{2,}') AS has, REGEXP_EXTRACT(s, '([a-z]+) ([0-9]+)', 2) AS g, REGEXP_REPLACE(s, '[0-9]+', '#') AS r FROM t WHERE s <> 'no number' OR s IS NULL;
-- duckdb: SELECT s, regexp_matches(s, '[0-9]{2,}') AS has, nullif(regexp_extract(s, '([a-z]+) ([0-9]+)', 2), '') AS g,
--   regexp_replace(s, '[0-9]+', '#', 'g') AS r FROM t WHERE s <> 'no number' OR s IS NULL

-- expect
{"s":"a1b22c333","has":true,"g":null,"r":"a#b#c#"}
{"s":"order 4711","has":true,"g":"4711","r":"order #"}
{"s":null,"has":null,"g":null,"r":null}
