-- Rows of one partition leave in the order they came.
CREATE TABLE t (a INT) WITH ('connector' = 'rows');

-- input t
{"a": 5}
{"a": 3}
{"a": 9}
{"a": 3}
{"a": 1}

SELECT a FROM t WHERE a <> 9;

-- expect ordered
{"a": 5}
{"a": 3}
{"a": 3}
{"a": 1}
