-- Lines are counted over the whole script.
CREATE TABLE t (a BIGINT, s STRING, ts TIMESTAMP(3), WATERMARK FOR ts AS ts) WITH ('connector' = 'rows');
SELECT a FROM t;

/* two
   lines */ SELECT s,
   x FROM t;
-- error TM2104 7:4 x
