-- DESCRIBE: names, types, whether NULL is allowed, keys, watermarks.
CREATE TABLE t (a BIGINT NOT NULL, b DECIMAL(10, 2), c AS a * 2, ts TIMESTAMP(3), PRIMARY KEY (a) NOT ENFORCED, WATERMARK FOR ts AS ts - INTERVAL '5' SECOND)
WITH ('connector' = 'rows');
DESCRIBE t;

-- The columns are those of Flink's DESCRIBE page: name, type, null, key, extras, watermark.
-- expect
{"name":"a","type":"BIGINT","null":"FALSE","key":"PRI","extras":"","watermark":"","comment":""}
{"name":"b","type":"DECIMAL(10, 2)","null":"TRUE","key":"","extras":"","watermark":"","comment":""}
{"name":"c","type":"BIGINT","null":"FALSE","key":"","extras":"AS a * 2","watermark":"","comment":""}
{"name":"ts","type":"TIMESTAMP(3)","null":"TRUE","key":"","extras":"","watermark":"ts - INTERVAL '5' SECOND","comment":""}
