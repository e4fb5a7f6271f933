-- NULL equals nothing: a LEFT join pads the row, whatever versions have a NULL key.
CREATE TABLE t (id INT, k STRING, ts TIMESTAMP(3), WATERMARK FOR ts AS ts) WITH ('connector' = 'rows');
CREATE TABLE p (k STRING, name STRING, from_ts TIMESTAMP(3), PRIMARY KEY (k) NOT ENFORCED, WATERMARK FOR from_ts AS from_ts) WITH ('connector' = 'rows');

-- input t
{"id": 1, "k": null, "ts": "2026-01-01 00:00:05"}
{"id": 2, "k": "a", "ts": "2026-01-01 00:00:06"}
-- input p
{"k": "a", "name": "ada", "from_ts": "2026-01-01 00:00:01"}

SELECT t.id, t.k, p.name FROM t LEFT JOIN p FOR SYSTEM_TIME AS OF t.ts AS p ON t.k = p.k;
-- duckdb: SELECT t.id, t.k, p.name FROM t ASOF LEFT JOIN p ON t.k = p.k AND t.ts >= p.from_ts

-- expect
{"id":1,"k":null,"name":null}
{"id":2,"k":"a","name":"ada"}
