-- A temporal join that does not equate the key.
CREATE TABLE t (a BIGINT, s STRING, ts TIMESTAMP(3), WATERMARK FOR ts AS ts) WITH ('connector' = 'rows');
CREATE TABLE p (a BIGINT, f TIMESTAMP(3), PRIMARY KEY (a) NOT ENFORCED, WATERMARK FOR f AS f) WITH ('connector' = 'rows');
SELECT t.a FROM t JOIN p FOR SYSTEM_TIME AS OF t.ts AS p ON t.a > p.a;
-- error TM2110 4:65 
