-- Functions of functions of columns, with NULLs on the way.
CREATE TABLE t (s STRING, n INT) WITH ('connector' = 'rows');

-- input t
{"s": "Tide Mill", "n": 3}
{"s": "x", "n": null}
{"s": null, "n": 1}

SELECT UPPER(SUBSTRING(REVERSE(s), 1, COALESCE(n, 1))) AS a, CHAR_LENGTH(REPEAT(s, ABS(-n))) AS b, COALESCE(NULLIF(LOWER(s), 'x'), CAST(n AS STRING), '?') AS c FROM t;
-- duckdb: SELECT upper(substring(reverse(s), 1, coalesce(n, 1))) AS a, length(repeat(s, abs(-n))) AS b,
--   coalesce(nullif(lower(s), 'x'), CAST(n AS VARCHAR), '?') AS c FROM t

-- expect
{"a":"LLI","b":27,"c":"tide mill"}
{"a":"X","b":null,"c":"?"}
{"a":null,"b":null,"c":"1"}
