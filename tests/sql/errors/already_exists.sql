-- A second table of the same name.
CREATE TABLE t (a BIGINT, s STRING, ts TIMESTAMP(3), WATERMARK FOR ts AS ts) WITH ('connector' = 'rows');
CREATE TABLE t (b INT) WITH ('connector' = 'rows');
-- error TM2103 3:14 t
