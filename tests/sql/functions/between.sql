-- BETWEEN holds its ends; bounds in the wrong order hold nothing, but with SYMMETRIC.
CREATE TABLE t (a INT) WITH ('connector' = 'rows');

-- input t
{"a": 1}
{"a": 2}
{"a": 3}
{"a": 4}
{"a": null}

SELECT a, a BETWEEN 2 AND 3 AS b, a NOT BETWEEN 2 AND 3 AS n, a BETWEEN 3 AND 2 AS wrong, a BETWEEN SYMMETRIC 3 AND 2 AS sym, a BETWEEN NULL AND 2 AS half FROM t;
-- duckdb: SELECT a, a BETWEEN 2 AND 3 AS b, a NOT BETWEEN 2 AND 3 AS n, a BETWEEN 3 AND 2 AS wrong, a BETWEEN 2 AND 3 AS sym,
--   a >= NULL AND a <= 2 AS half FROM t

-- expect
{"a":1,"b":false,"n":true,"wrong":false,"sym":false,"half":null}
{"a":2,"b":true,"n":false,"wrong":false,"sym":true,"half":null}
{"a":3,"b":true,"n":false,"wrong":false,"sym":true,"half":false}
{"a":4,"b":false,"n":true,"wrong":false,"sym":false,"half":false}
{"a":null,"b":null,"n":null,"wrong":null,"sym":null,"half":null}
