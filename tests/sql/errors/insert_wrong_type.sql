-- A text for a number.
CREATE TABLE t (a BIGINT, s STRING, ts TIMESTAMP(3), WATERMARK FOR ts AS ts) WITH ('connector' = 'rows');
CREATE TABLE o (x ARRAY<INT>) WITH ('connector' = 'rows');
INSERT INTO o SELECT s FROM t;
-- error TM2115 4:22 
