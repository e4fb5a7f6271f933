-- A variable that nobody gave.
CREATE TABLE t (a BIGINT, s STRING, ts TIMESTAMP(3), WATERMARK FOR ts AS ts) WITH ('connector' = 'rows');
SELECT a FROM t WHERE a > ${limit};
-- error TM2002 3:27 limit
