-- A model that was never made.
CREATE TABLE t (a BIGINT, s STRING, ts TIMESTAMP(3), WATERMARK FOR ts AS ts) WITH ('connector' = 'rows');
SELECT * FROM ML_PREDICT(TABLE t, MODEL m, DESCRIPTOR(a));
-- error TM2102 3:41 m
