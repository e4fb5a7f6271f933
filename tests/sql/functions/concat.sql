-- || and CONCAT are NULL when a part is; CONCAT_WS leaves NULLs out.
CREATE TABLE t (a STRING, b STRING, n INT) WITH ('connector' = 'rows');

-- input t
{"a": "x", "b": "y", "n": 1}
{"a": null, "b": "y", "n": 2}
{"a": "x", "b": null, "n": null}
{"a": "ü", "b": "水", "n": -3}

SELECT a || b AS p, a || CAST(n AS STRING) AS pn, CONCAT_WS('-', a, b) AS ws, CONCAT(a, b, 'z') AS c FROM t;
-- duckdb: SELECT a || b AS p, a || CAST(n AS VARCHAR) AS pn, concat_ws('-', a, b) AS ws, a || b || 'z' AS c FROM t

-- expect
{"p":"xy","pn":"x1","ws":"x-y","c":"xyz"}
{"p":"ü水","pn":"ü-3","ws":"ü-水","c":"ü水z"}
{"p":null,"pn":null,"ws":"x","c":null}
{"p":null,"pn":null,"ws":"y","c":null}
