-- LIMIT.
CREATE TABLE t (a BIGINT, s STRING, ts TIMESTAMP(3), WATERMARK FOR ts AS ts) WITH ('connector' = 'rows');
SELECT a FROM t LIMIT 1;
-- error TM2003 3:17 
