-- OVER goes up only.
CREATE TABLE t (a BIGINT, s STRING, ts TIMESTAMP(3), WATERMARK FOR ts AS ts) WITH ('connector' = 'rows');
SELECT SUM(a) OVER (ORDER BY ts DESC) FROM t;
-- error TM2003 3:30 
