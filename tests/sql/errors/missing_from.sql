-- FROM is missing: what follows is refused where it stands.
CREATE TABLE t (a BIGINT, s STRING, ts TIMESTAMP(3), WATERMARK FOR ts AS ts) WITH ('connector' = 'rows');
SELECT a, s t WHERE a = 1;
-- error TM2003 3:23 
