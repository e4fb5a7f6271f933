-- A column that is neither grouped nor aggregated.
CREATE TABLE t (a BIGINT, s STRING, ts TIMESTAMP(3), WATERMARK FOR ts AS ts) WITH ('connector' = 'rows');
SELECT s, COUNT(*) FROM t GROUP BY a;
-- error TM2107 3:8 s
