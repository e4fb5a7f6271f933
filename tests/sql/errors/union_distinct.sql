-- UNION without ALL.
CREATE TABLE t (a BIGINT, s STRING, ts TIMESTAMP(3), WATERMARK FOR ts AS ts) WITH ('connector' = 'rows');
SELECT a FROM t UNION SELECT a FROM t;
-- error TM2003 3:17 
