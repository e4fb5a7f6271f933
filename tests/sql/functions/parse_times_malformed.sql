-- No such day, and no time at all.
CREATE TABLE t (s STRING) WITH ('connector' = 'rows');

-- input t
{"s": "2023-13-01 12:00:00"}
{"s": "rubbish"}

SELECT s, TO_TIMESTAMP(s) IS NULL AS no_time, TO_DATE(s) IS NULL AS no_date FROM t;

-- expect
{"s": "2023-13-01 12:00:00", "no_time": true, "no_date": true}
{"s": "rubbish", "no_time": true, "no_date": true}
