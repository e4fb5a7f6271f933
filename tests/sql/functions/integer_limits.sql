-- The ends of BIGINT come through unchanged; JSON has no smaller number for them.
CREATE TABLE t (a BIGINT) WITH ('connector' = 'rows');

-- input t
{"a": 9223372036854775807}
{"a": -9223372036854775808}
{"a": 0}

SELECT a, a = 9223372036854775807 AS top, a < 0 AS negative, a / 2 AS half, CAST(a AS STRING) AS s FROM t;
-- duckdb: SELECT a, a = 9223372036854775807 AS top, a < 0 AS negative, a // 2 AS half, CAST(a AS VARCHAR) AS s FROM t

-- expect
{"a":-9223372036854775808,"top":false,"negative":true,"half":-4611686018427387904,"s":"-9223372036854775808"}
{"a":0,"top":false,"negative":false,"half":0,"s":"0"}
{"a":9223372036854775807,"top":true,"negative":false,"half":4611686018427387903,"s":"9223372036854775807"}
