-- A literal that is no time.
CREATE TABLE t (a BIGINT, s STRING, ts TIMESTAMP(3), WATERMARK FOR ts AS ts) WITH ('connector' = 'rows');
SELECT TIMESTAMP 'tomorrow' FROM t;
-- error TM2118 3:8 
