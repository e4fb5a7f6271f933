-- A field that is not there is NULL, one that no column takes is left out.
CREATE TABLE t (a INT, b STRING) WITH ('connector' = 'rows');

-- input t
{"a": 1}
{"b": "x", "other": {"deep": [1, 2, {"a": 3}]}}
{}

SELECT a, b FROM t;

-- expect
{"a": 1, "b": null}
{"a": null, "b": "x"}
{"a": null, "b": null}
