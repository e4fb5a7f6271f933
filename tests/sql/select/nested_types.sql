-- Fields of rows, elements of arrays, values of maps.
CREATE TABLE t (r ROW<x INT, y ROW<z STRING>>, l ARRAY<STRING>, m MAP<STRING, INT>) WITH ('connector' = 'rows');

-- input t
{"r": {"x": 1, "y": {"z": "deep"}}, "l": ["a", "b"], "m": {"k": 7}}
{"r": {"x": null, "y": null}, "l": [], "m": {}}
{"r": null, "l": null, "m": null}

SELECT r.x AS x, r.y.z AS z, l[2] AS second_one, m['k'] AS k, CARDINALITY(l) AS n FROM t;

-- expect
{"x": 1, "z": "deep", "second_one": "b", "k": 7, "n": 2}
{"x": null, "z": null, "second_one": null, "k": null, "n": 0}
{"x": null, "z": null, "second_one": null, "k": null, "n": null}
