-- NULL is a key; one row alone. Values of settings are taken in any case.
SET 'table.exec.over.emit' = 'ON-ARRIVAL';
CREATE TABLE t (k STRING, v INT, ts TIMESTAMP(3), WATERMARK FOR ts AS ts - INTERVAL '5' SECOND) WITH ('connector' = 'rows');

-- input t
{"k": null, "v": 3, "ts": "2026-01-01 00:00:10"}

SELECT k, v, AVG(v) OVER (PARTITION BY k ORDER BY ts ROWS BETWEEN 9 PRECEDING AND CURRENT ROW) AS a FROM t;
-- duckdb: SELECT k, v, v AS a FROM t

-- expect
{"k":null,"v":3,"a":3}
