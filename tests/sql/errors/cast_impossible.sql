-- A CAST that no value survives.
CREATE TABLE t (a BIGINT, s STRING, ts TIMESTAMP(3), WATERMARK FOR ts AS ts) WITH ('connector' = 'rows');
SELECT CAST(ARRAY[1] AS INT) FROM t;
-- error TM2106 3:8 
