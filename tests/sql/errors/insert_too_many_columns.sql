-- More columns than the table takes.
CREATE TABLE t (a BIGINT, s STRING, ts TIMESTAMP(3), WATERMARK FOR ts AS ts) WITH ('connector' = 'rows');
CREATE TABLE o (x BIGINT) WITH ('connector' = 'rows');
INSERT INTO o SELECT a, s FROM t;
-- error TM2115 4:15 
