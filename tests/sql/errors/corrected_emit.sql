-- The one way to emit that is not there yet.
CREATE TABLE t (a BIGINT, s STRING, ts TIMESTAMP(3), WATERMARK FOR ts AS ts) WITH ('connector' = 'rows');
SET 'table.exec.over.emit' = 'on-arrival-corrected';
-- error TM2003 3:30 
