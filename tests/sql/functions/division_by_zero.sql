-- A division of integers by zero refuses its row; the others go on. Of doubles it is an infinity or NaN, which JSON writes as text.
CREATE TABLE t (a INT, b INT) WITH ('connector' = 'rows');

-- input t
{"a": 1, "b": 0}
{"a": 4, "b": 2}
{"a": null, "b": 0}
{"a": 5, "b": 0}

SELECT a, a / b AS q FROM t;

-- NULL / 0 is NULL: the quotient is not computed.
-- expect
{"a": 4, "q": 2}
{"a": null, "q": null}
-- rejected expression 2
