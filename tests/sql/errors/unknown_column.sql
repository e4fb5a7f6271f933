-- A column that no table has.
CREATE TABLE t (a BIGINT, s STRING, ts TIMESTAMP(3), WATERMARK FOR ts AS ts) WITH ('connector' = 'rows');
SELECT a,
  b FROM t;
-- error TM2104 4:3 'b'
