-- A field that does not fit refuses its row; the others go on.
CREATE TABLE t (a INT, b STRING) WITH ('connector' = 'rows');

-- input t
{"a": 1, "b": "x"}
{"a": "word", "b": "x"}
{"a": 2, "b":
{"a": 99999999999, "b": "x"}
{"a": 3, "b": "y"}

SELECT a, b FROM t;

-- expect
{"a": 1, "b": "x"}
{"a": 3, "b": "y"}
-- rejected wrong_type 1
-- rejected malformed 1
-- rejected out_of_range 1
