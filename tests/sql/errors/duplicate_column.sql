-- Two columns of one name.
CREATE TABLE t (a BIGINT, s STRING, ts TIMESTAMP(3), WATERMARK FOR ts AS ts) WITH ('connector' = 'rows');
CREATE TABLE u (a INT, a STRING) WITH ('connector' = 'rows');
-- error TM2103 3:24 a
