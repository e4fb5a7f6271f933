-- A table without a connector.
CREATE TABLE t (a BIGINT, s STRING, ts TIMESTAMP(3), WATERMARK FOR ts AS ts) WITH ('connector' = 'rows');
CREATE TABLE u (a INT) WITH ('format' = 'json');
SELECT a FROM u;
-- error TM2113 3:14 connector
