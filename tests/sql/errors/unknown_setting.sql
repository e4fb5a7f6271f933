-- A setting that there is not.
CREATE TABLE t (a BIGINT, s STRING, ts TIMESTAMP(3), WATERMARK FOR ts AS ts) WITH ('connector' = 'rows');
SET 'table.exec.nothing' = '1';
-- error TM2112 3:5 table.exec.nothing
