-- A qualifier that is no table of the query.
CREATE TABLE t (a BIGINT, s STRING, ts TIMESTAMP(3), WATERMARK FOR ts AS ts) WITH ('connector' = 'rows');
SELECT q.a FROM t;
-- error TM2104 3:8 q
