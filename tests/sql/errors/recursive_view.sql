-- A view over itself.
CREATE TABLE t (a BIGINT, s STRING, ts TIMESTAMP(3), WATERMARK FOR ts AS ts) WITH ('connector' = 'rows');
CREATE VIEW v AS SELECT * FROM v;
-- error TM2101 3:32 v
