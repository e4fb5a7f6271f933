-- A table that was dropped is made anew with other columns.
CREATE TABLE t (z STRING) WITH ('connector' = 'rows');
DROP TABLE t;
DROP TABLE IF EXISTS nothing;
CREATE TABLE t (a INT) WITH ('connector' = 'rows');

-- input t
{"a": 4}

SELECT a FROM t;

-- expect
{"a": 4}
