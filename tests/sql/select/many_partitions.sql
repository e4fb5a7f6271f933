-- Five partitions, one of them empty.
CREATE TABLE t (a INT) WITH ('connector' = 'rows');

-- input t
{"a": 1}
{"a": 2}
-- split
-- split
{"a": 3}
-- split
{"a": 4}
{"a": 5}
-- split
{"a": 6}

SELECT a * a AS sq FROM t WHERE a <> 4;
-- duckdb: SELECT a * a AS sq FROM t WHERE a <> 4

-- expect
{"sq":1}
{"sq":25}
{"sq":36}
{"sq":4}
{"sq":9}
