-- INSERT into a column that there is not.
CREATE TABLE t (a BIGINT, s STRING, ts TIMESTAMP(3), WATERMARK FOR ts AS ts) WITH ('connector' = 'rows');
CREATE TABLE o (x BIGINT) WITH ('connector' = 'rows');
INSERT INTO o (y) SELECT a FROM t;
-- error TM2104 4:16 y
