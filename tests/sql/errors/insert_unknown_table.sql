-- INSERT into a table that was never made.
CREATE TABLE t (a BIGINT, s STRING, ts TIMESTAMP(3), WATERMARK FOR ts AS ts) WITH ('connector' = 'rows');
INSERT INTO nothing SELECT a FROM t;
-- error TM2101 3:13 nothing
