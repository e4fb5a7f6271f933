-- A parenthesis that is never closed.
CREATE TABLE t (a BIGINT, s STRING, ts TIMESTAMP(3), WATERMARK FOR ts AS ts) WITH ('connector' = 'rows');
SELECT (a + 1 FROM t;
-- error TM2001 3:15 
