-- An array where a text is needed.
CREATE TABLE t (a BIGINT, s STRING, ts TIMESTAMP(3), WATERMARK FOR ts AS ts) WITH ('connector' = 'rows');
SELECT UPPER(ARRAY[1]) FROM t;
-- error TM1401 3:8 UPPER
