-- IN with a query.
CREATE TABLE t (a BIGINT, s STRING, ts TIMESTAMP(3), WATERMARK FOR ts AS ts) WITH ('connector' = 'rows');
SELECT a FROM t WHERE a IN (SELECT a FROM t);
-- error TM2003 3:25 
