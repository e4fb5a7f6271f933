-- Texts as dates and times.
CREATE TABLE t (s STRING) WITH ('connector' = 'rows');

-- input t
{"s": "2024-02-29 13:14:15.678"}
{"s": "1969-12-31 23:59:59"}
{"s": "2024-02-29"}
{"s": "nonsense"}
{"s": null}

SELECT s, TRY_CAST(s AS TIMESTAMP(3)) AS ts, CAST(TRY_CAST(s AS TIMESTAMP(3)) AS DATE) AS d FROM t;
-- duckdb: SELECT s, TRY_CAST(s AS TIMESTAMP) AS ts, CAST(TRY_CAST(s AS TIMESTAMP) AS DATE) AS d FROM t

-- expect
{"s":"1969-12-31 23:59:59","ts":"1969-12-31 23:59:59","d":"1969-12-31"}
{"s":"2024-02-29 13:14:15.678","ts":"2024-02-29 13:14:15.678","d":"2024-02-29"}
{"s":"2024-02-29","ts":"2024-02-29 00:00:00","d":"2024-02-29"}
{"s":"nonsense","ts":null,"d":null}
{"s":null,"ts":null,"d":null}
