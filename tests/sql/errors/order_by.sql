-- ORDER BY of a query.
CREATE TABLE t (a BIGINT, s STRING, ts TIMESTAMP(3), WATERMARK FOR ts AS ts) WITH ('connector' = 'rows');
SELECT a FROM t ORDER BY a;
-- error TM2003 3:17 
