-- CAST of a text that is no number refuses the row, TRY_CAST gives NULL.
CREATE TABLE t (s STRING) WITH ('connector' = 'rows');

-- input t
{"s": "12"}
{"s": "-7"}
{"s": "abc"}
{"s": null}
{"s": ""}
{"s": " 5 "}

SELECT s, TRY_CAST(s AS INT) AS i, TRY_CAST(s AS DOUBLE) AS d FROM t WHERE s <> ' 5 ' OR s IS NULL;
-- duckdb: SELECT s, TRY_CAST(s AS INT) AS i, TRY_CAST(s AS DOUBLE) AS d FROM t WHERE s <> ' 5 ' OR s IS NULL

-- expect
{"s":"","i":null,"d":null}
{"s":"-7","i":-7,"d":-7}
{"s":"12","i":12,"d":12}
{"s":"abc","i":null,"d":null}
{"s":null,"i":null,"d":null}
