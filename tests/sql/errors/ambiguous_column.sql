-- A name that both sides of a join have.
CREATE TABLE t (a BIGINT, s STRING, ts TIMESTAMP(3), WATERMARK FOR ts AS ts) WITH ('connector' = 'rows');
CREATE TABLE p (a BIGINT, s STRING, f TIMESTAMP(3), PRIMARY KEY (a) NOT ENFORCED, WATERMARK FOR f AS f) WITH ('connector' = 'rows');
SELECT s FROM t JOIN p FOR SYSTEM_TIME AS OF t.ts AS p ON t.a = p.a;
-- error TM2105 4:8 s
