-- DROP of what is not there.
CREATE TABLE t (a BIGINT, s STRING, ts TIMESTAMP(3), WATERMARK FOR ts AS ts) WITH ('connector' = 'rows');
DROP TABLE nothing;
-- error TM2101 3:12 nothing
