-- A join of two streams.
CREATE TABLE t (a BIGINT, s STRING, ts TIMESTAMP(3), WATERMARK FOR ts AS ts) WITH ('connector' = 'rows');
SELECT x.a FROM t AS x JOIN t AS y ON x.a = y.a;
-- error TM2003 3:24 
