-- DELETE.
CREATE TABLE t (a BIGINT, s STRING, ts TIMESTAMP(3), WATERMARK FOR ts AS ts) WITH ('connector' = 'rows');
DELETE FROM t WHERE a = 1;
-- error TM2003 3:1 
