-- An aggregate of an aggregate.
CREATE TABLE t (a BIGINT, s STRING, ts TIMESTAMP(3), WATERMARK FOR ts AS ts) WITH ('connector' = 'rows');
SELECT SUM(COUNT(*)) FROM t;
-- error TM2107 3:12 
