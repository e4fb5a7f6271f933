-- An aggregate in WHERE.
CREATE TABLE t (a BIGINT, s STRING, ts TIMESTAMP(3), WATERMARK FOR ts AS ts) WITH ('connector' = 'rows');
SELECT a FROM t WHERE COUNT(*) > 1;
-- error TM2107 3:23 
