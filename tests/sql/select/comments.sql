-- Comments of both kinds, and strings that look like them.
CREATE TABLE t (a STRING) WITH ('connector' = 'rows'); /* one
/* line after another */
-- input t
{"a": "-- not a comment"}
{"a": "/* nor this */"}

SELECT a, '--' || a /* here */ AS b -- and there
FROM t;

-- expect
{"a": "-- not a comment", "b": "---- not a comment"}
{"a": "/* nor this */", "b": "--/* nor this */"}
