-- WHERE over a number.
CREATE TABLE t (a BIGINT, s STRING, ts TIMESTAMP(3), WATERMARK FOR ts AS ts) WITH ('connector' = 'rows');
SELECT a FROM t WHERE a + 1;
-- error TM2106 3:25 
