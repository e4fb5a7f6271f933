-- A time that was computed is no time attribute any more.
CREATE TABLE t (a BIGINT, s STRING, ts TIMESTAMP(3), WATERMARK FOR ts AS ts) WITH ('connector' = 'rows');
SELECT SUM(a) OVER (ORDER BY x) FROM (SELECT a, ts + INTERVAL '1' DAY AS x FROM t);
-- error TM2109 3:30 
