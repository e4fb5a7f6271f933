-- A day that there is not.
CREATE TABLE t (a BIGINT, s STRING, ts TIMESTAMP(3), WATERMARK FOR ts AS ts) WITH ('connector' = 'rows');
SELECT DATE '2023-02-29' FROM t;
-- error TM2118 3:8 
