-- An interval that is none.
CREATE TABLE t (a BIGINT, s STRING, ts TIMESTAMP(3), WATERMARK FOR ts AS ts) WITH ('connector' = 'rows');
SELECT ts + INTERVAL 'x' DAY FROM t;
-- error TM2118 3:13 
