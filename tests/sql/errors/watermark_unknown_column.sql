-- A watermark over a column that there is not.
CREATE TABLE t (a BIGINT, s STRING, ts TIMESTAMP(3), WATERMARK FOR ts AS ts) WITH ('connector' = 'rows');
CREATE TABLE u (a INT, WATERMARK FOR b AS b) WITH ('connector' = 'rows');
-- error TM2104 3:38 
