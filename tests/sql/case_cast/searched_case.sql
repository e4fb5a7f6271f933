-- The first condition that is TRUE decides; without ELSE the rest is NULL.
CREATE TABLE t (a INT) WITH ('connector' = 'rows');

-- input t
{"a": -1}
{"a": 0}
{"a": 5}
{"a": 50}
{"a": null}

SELECT a, CASE WHEN a < 0 THEN 'neg' WHEN a < 10 THEN 'small' WHEN a < 100 THEN 'big' END AS c, CASE WHEN a > 0 THEN a ELSE 0 END AS p,
  CASE WHEN a IS NULL THEN 'none' WHEN a > 1 THEN 'many' ELSE 'few' END AS n FROM t;
-- duckdb: SELECT a, CASE WHEN a < 0 THEN 'neg' WHEN a < 10 THEN 'small' WHEN a < 100 THEN 'big' END AS c, CASE WHEN a > 0 THEN a ELSE 0 END AS p,
--   CASE WHEN a IS NULL THEN 'none' WHEN a > 1 THEN 'many' ELSE 'few' END AS n FROM t

-- expect
{"a":-1,"c":"neg","p":0,"n":"few"}
{"a":0,"c":"small","p":0,"n":"few"}
{"a":5,"c":"small","p":5,"n":"many"}
{"a":50,"c":"big","p":50,"n":"many"}
{"a":null,"c":null,"p":0,"n":"none"}
