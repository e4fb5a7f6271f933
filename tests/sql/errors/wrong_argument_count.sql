-- Too many arguments.
CREATE TABLE t (a BIGINT, s STRING, ts TIMESTAMP(3), WATERMARK FOR ts AS ts) WITH ('connector' = 'rows');
SELECT UPPER(s, s) FROM t;
-- error TM1401 3:8 UPPER
