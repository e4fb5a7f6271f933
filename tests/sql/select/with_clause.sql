-- WITH: two names, the second over the first, columns renamed.
CREATE TABLE t (a INT, b INT) WITH ('connector' = 'rows');

-- input t
{"a": 1, "b": 10}
{"a": 2, "b": 20}
{"a": 3, "b": null}

WITH big (x, y) AS (SELECT a, b FROM t WHERE a > 1), sums AS (SELECT x + y AS s, x FROM big)
SELECT s, x FROM sums WHERE s IS NOT NULL OR x = 3;
-- duckdb: WITH big (x, y) AS (SELECT a, b FROM t WHERE a > 1), sums AS (SELECT x + y AS s, x FROM big) SELECT s, x FROM sums WHERE s IS NOT NULL OR x = 3

-- expect
{"s":22,"x":2}
{"s":null,"x":3}
