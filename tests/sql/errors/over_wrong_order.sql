-- OVER by a column that is no time attribute.
CREATE TABLE t (a BIGINT, s STRING, ts TIMESTAMP(3), WATERMARK FOR ts AS ts) WITH ('connector' = 'rows');
SELECT SUM(a) OVER (ORDER BY a) FROM t;
-- error TM2109 3:30 
