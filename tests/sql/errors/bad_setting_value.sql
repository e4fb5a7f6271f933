-- A value that a setting does not take.
CREATE TABLE t (a BIGINT, s STRING, ts TIMESTAMP(3), WATERMARK FOR ts AS ts) WITH ('connector' = 'rows');
SET 'table.exec.over.emit' = 'sometimes';
-- error TM2111 3:30 
