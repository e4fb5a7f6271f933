-- Computed columns see physical ones; NULL spreads.
CREATE TABLE t (a INT, b AS a * 2, c AS UPPER(s), s STRING) WITH ('connector' = 'rows');

-- input t
{"a": 1, "s": "x"}
{"a": null, "s": "y"}

SELECT b, c, a FROM t WHERE c <> 'Q';

-- expect
{"b": 2, "c": "X", "a": 1}
{"b": null, "c": "Y", "a": null}
