-- CUMULATE whose size is no multiple of its step.
CREATE TABLE t (a BIGINT, s STRING, ts TIMESTAMP(3), WATERMARK FOR ts AS ts) WITH ('connector' = 'rows');
SELECT COUNT(*) FROM CUMULATE(TABLE t, DESCRIPTOR(ts), INTERVAL '7' MINUTE, INTERVAL '60' MINUTE) GROUP BY window_start, window_end;
-- error TM2108 3:77 
