-- Texts that say no time are NULL.
CREATE TABLE t (s STRING) WITH ('connector' = 'rows');

-- input t
{"s": "2024-02-29 12:00:00"}
{"s": "2023-02-29 12:00:00"}
{"s": "rubbish"}
{"s": null}

SELECT s, TO_TIMESTAMP(s) AS ts, TO_DATE(s, 'yyyy-MM-dd HH:mm:ss') AS d, UNIX_TIMESTAMP(s) AS u FROM t WHERE s IS NULL OR s LIKE '2024%';
-- duckdb: SELECT s, TRY_CAST(s AS TIMESTAMP) AS ts, TRY_CAST(s AS DATE) AS d, epoch(TRY_CAST(s AS TIMESTAMP)) :: BIGINT AS u FROM t
--   WHERE s IS NULL OR s LIKE '2024%'

-- expect
{"s":"2024-02-29 12:00:00","ts":"2024-02-29 12:00:00","d":"2024-02-29","u":1709208000}
{"s":null,"ts":null,"d":null,"u":null}
