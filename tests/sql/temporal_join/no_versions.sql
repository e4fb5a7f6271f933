-- A right side without rows.
CREATE TABLE t (id INT, k STRING, ts TIMESTAMP(3), WATERMARK FOR ts AS ts) WITH ('connector' = 'rows');
CREATE TABLE p (k STRING, name STRING, from_ts TIMESTAMP(3), PRIMARY KEY (k) NOT ENFORCED, WATERMARK FOR from_ts AS from_ts) WITH ('connector' = 'rows');

-- input t
{"id": 1, "k": "a", "ts": "2026-01-01 00:00:05"}
{"id": 2, "k": "b", "ts": "2026-01-01 00:00:06"}

SELECT t.id, p.name FROM t LEFT JOIN p FOR SYSTEM_TIME AS OF t.ts AS p ON t.k = p.k;
-- duckdb: SELECT t.id, p.name FROM t LEFT JOIN p ON t.k = p.k

-- expect
{"id":1,"name":null}
{"id":2,"name":null}
