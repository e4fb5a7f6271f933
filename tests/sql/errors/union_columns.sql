-- Sides of different length.
CREATE TABLE t (a BIGINT, s STRING, ts TIMESTAMP(3), WATERMARK FOR ts AS ts) WITH ('connector' = 'rows');
SELECT a FROM t UNION ALL SELECT a, s FROM t;
-- error TM2106 3:27 
