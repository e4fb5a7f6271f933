-- OVER over a WINDOW that there is not.
CREATE TABLE t (a BIGINT, s STRING, ts TIMESTAMP(3), WATERMARK FOR ts AS ts) WITH ('connector' = 'rows');
SELECT SUM(a) OVER w FROM t;
-- error TM2108 3:20 w
