-- A window over a column that is no time attribute.
CREATE TABLE t (a BIGINT, s STRING, ts TIMESTAMP(3), WATERMARK FOR ts AS ts) WITH ('connector' = 'rows');
SELECT COUNT(*) FROM TUMBLE(TABLE t, DESCRIPTOR(a), INTERVAL '1' MINUTE) GROUP BY window_start, window_end;
-- error TM2109 3:49 
