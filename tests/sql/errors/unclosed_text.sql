-- A quote that is never closed.
CREATE TABLE t (a BIGINT, s STRING, ts TIMESTAMP(3), WATERMARK FOR ts AS ts) WITH ('connector' = 'rows');
SELECT 'open FROM t;
-- error TM2001 3:8 
