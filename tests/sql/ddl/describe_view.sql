-- A view shows its columns.
CREATE TABLE t (a INT, s STRING) WITH ('connector' = 'rows');
CREATE VIEW v (x, y) AS SELECT a + 1, UPPER(s) FROM t;
DESCRIBE v;

-- expect
{"name":"x","type":"INT","null":"TRUE","key":"","extras":"","watermark":"","comment":""}
{"name":"y","type":"STRING","null":"TRUE","key":"","extras":"","watermark":"","comment":""}
