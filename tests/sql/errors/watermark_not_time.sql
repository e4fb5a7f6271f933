-- A watermark over a number.
CREATE TABLE t (a BIGINT, s STRING, ts TIMESTAMP(3), WATERMARK FOR ts AS ts) WITH ('connector' = 'rows');
CREATE TABLE u (a INT, WATERMARK FOR a AS a) WITH ('connector' = 'rows');
-- error TM2116 3:38 
