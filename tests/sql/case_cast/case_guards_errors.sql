-- A branch that is not taken is not computed: no division by zero, no failing CAST.
CREATE TABLE t (a INT, s STRING) WITH ('connector' = 'rows');

-- input t
{"a": 0, "s": "x"}
{"a": 5, "s": "7"}
{"a": null, "s": null}

SELECT a, CASE WHEN a <> 0 THEN 100 / a END AS q, CASE WHEN s = 'x' THEN -1 ELSE CAST(s AS INT) END AS n FROM t;

-- expect
{"a": 0, "q": null, "n": -1}
{"a": 5, "q": 20, "n": 7}
{"a": null, "q": null, "n": null}
