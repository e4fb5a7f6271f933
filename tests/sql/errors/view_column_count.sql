-- A view with more names than columns.
CREATE TABLE t (a BIGINT, s STRING, ts TIMESTAMP(3), WATERMARK FOR ts AS ts) WITH ('connector' = 'rows');
CREATE VIEW v (x, y) AS SELECT a FROM t;
-- error TM2104 3:19 
