-- GREATEST and LEAST are NULL as soon as one argument is (DuckDB leaves NULLs out, Flink does not).
CREATE TABLE t (a INT, b INT, s STRING) WITH ('connector' = 'rows');

-- input t
{"a": 1, "b": 2, "s": "abc"}
{"a": -3, "b": -4, "s": "Z"}
{"a": null, "b": 4, "s": "é"}

SELECT GREATEST(a, b, 0) AS g, LEAST(a, b, 0) AS l, GREATEST(s, 'b') AS gs, LEAST(s, 'b') AS ls FROM t;
-- duckdb: SELECT CASE WHEN a IS NOT NULL THEN greatest(a, b, 0) END AS g, CASE WHEN a IS NOT NULL THEN least(a, b, 0) END AS l,
--   greatest(s, 'b') AS gs, least(s, 'b') AS ls FROM t

-- expect
{"g":0,"l":-4,"gs":"b","ls":"Z"}
{"g":2,"l":0,"gs":"b","ls":"abc"}
{"g":null,"l":null,"gs":"é","ls":"b"}
