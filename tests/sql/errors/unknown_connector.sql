-- A connector that there is not.
CREATE TABLE t (a BIGINT, s STRING, ts TIMESTAMP(3), WATERMARK FOR ts AS ts) WITH ('connector' = 'rows');
CREATE TABLE u (a INT) WITH ('connector' = 'carrier-pigeon');
SELECT a FROM u;
-- error TM2114 3:44 carrier-pigeon
