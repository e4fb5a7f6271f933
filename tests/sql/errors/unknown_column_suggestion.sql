-- A typing error in WHERE.
CREATE TABLE t (a BIGINT, s STRING, ts TIMESTAMP(3), WATERMARK FOR ts AS ts) WITH ('connector' = 'rows');
SELECT a FROM t WHERE aa > 1;
-- error TM2104 3:23 'aa'
