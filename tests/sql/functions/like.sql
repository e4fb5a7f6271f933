-- LIKE: % and _, escaped ones, letters of several bytes as one, NULL.
CREATE TABLE t (s STRING) WITH ('connector' = 'rows');

-- input t
{"s": "tidemill"}
{"s": "100%"}
{"s": "a_b"}
{"s": "über"}
{"s": null}

SELECT s, s LIKE 't_de%' AS a, s LIKE '%!%' ESCAPE '!' AS p, s LIKE 'a!_b' ESCAPE '!' AS u, s LIKE '_ber' AS one, s NOT LIKE '%i%' AS n, s LIKE '%' AS any_text,
  s LIKE '' AS none FROM t;
-- duckdb: SELECT s, s LIKE 't_de%' AS a, s LIKE '%!%' ESCAPE '!' AS p, s LIKE 'a!_b' ESCAPE '!' AS u, s LIKE '_ber' AS one, s NOT LIKE '%i%' AS n,
--   s LIKE '%' AS any_text, s LIKE '' AS none FROM t

-- expect
{"s":"100%","a":false,"p":true,"u":false,"one":false,"n":true,"any_text":true,"none":false}
{"s":"a_b","a":false,"p":false,"u":true,"one":false,"n":true,"any_text":true,"none":false}
{"s":"tidemill","a":true,"p":false,"u":false,"one":false,"n":false,"any_text":true,"none":false}
{"s":"über","a":false,"p":false,"u":false,"one":true,"n":true,"any_text":true,"none":false}
{"s":null,"a":null,"p":null,"u":null,"one":null,"n":null,"any_text":null,"none":null}
