-- Integers of different width, with DECIMAL and DOUBLE, in one expression.
CREATE TABLE t (a TINYINT, b SMALLINT, c INT, d BIGINT, e DECIMAL(5, 2), f DOUBLE) WITH ('connector' = 'rows');

-- input t
{"a": 1, "b": 300, "c": 70000, "d": 5000000000, "e": 1.25, "f": 0.5}
{"a": -1, "b": -300, "c": -70000, "d": -5000000000, "e": -1.25, "f": -0.5}
{"a": null, "b": 1, "c": 1, "d": 1, "e": 1, "f": 1}

SELECT c + d AS cd, d + e AS de, e + f AS ef, a + d AS ad, c * e AS ce, b < d AS less FROM t;
-- duckdb: SELECT c + d AS cd, d + e AS de, e + f AS ef, a + d AS ad, c * e AS ce, b < d AS less FROM t

-- expect
{"cd":-5000070000,"de":-5000000001.25,"ef":-1.75,"ad":-5000000001,"ce":87500.00,"less":false}
{"cd":2,"de":2.00,"ef":2,"ad":null,"ce":1.00,"less":false}
{"cd":5000070000,"de":5000000001.25,"ef":1.75,"ad":5000000001,"ce":87500.00,"less":true}
