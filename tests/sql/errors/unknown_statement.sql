-- A word that begins no statement.
CREATE TABLE t (a BIGINT, s STRING, ts TIMESTAMP(3), WATERMARK FOR ts AS ts) WITH ('connector' = 'rows');
GRANT ALL ON t;
-- error TM2001 3:1 
