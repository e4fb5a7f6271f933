-- Maps, rows and arrays made of columns.
CREATE TABLE t (k STRING, v INT) WITH ('connector' = 'rows');

-- input t
{"k": "a", "v": 1}
{"k": "b", "v": null}

SELECT MAP['x', v, k, 7]['x'] AS x, MAP['x', v, k, 7]['b'] AS b, CARDINALITY(MAP[k, v]) AS n, ROW(k, v).EXPR$0 AS r0, ARRAY[v, 2][2] AS e,
  MAP_KEYS(MAP[k, v]) AS keys FROM t;

-- expect
{"x": 1, "b": null, "n": 1, "r0": "a", "e": 2, "keys": ["a"]}
{"x": null, "b": 7, "n": 1, "r0": "b", "e": 2, "keys": ["b"]}
