-- A text and a number in one column of UNION ALL.
CREATE TABLE t (a BIGINT, s STRING, ts TIMESTAMP(3), WATERMARK FOR ts AS ts) WITH ('connector' = 'rows');
SELECT a FROM t UNION ALL SELECT ARRAY[1] FROM t;
-- error TM2106 3:27 
