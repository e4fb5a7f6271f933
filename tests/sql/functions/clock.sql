-- The machine's clock stands at 2026-01-01 00:00:00 UTC in the cases.
CREATE TABLE t (a INT) WITH ('connector' = 'rows');

-- input t
{"a": 1}

SELECT a, CURRENT_DATE AS d, LOCALTIMESTAMP AS l, CURRENT_TIMESTAMP = NOW() AS same, UNIX_TIMESTAMP() AS u FROM t;

-- expect
{"a": 1, "d": "2026-01-01", "l": "2026-01-01 00:00:00", "same": true, "u": 1767225600}
