-- A function that there is not.
CREATE TABLE t (a BIGINT, s STRING, ts TIMESTAMP(3), WATERMARK FOR ts AS ts) WITH ('connector' = 'rows');
SELECT FROBNICATE(a) FROM t;
-- error TM1400 3:8 FROBNICATE
