-- An inner join leaves rows without a version out.
CREATE TABLE t (id INT, k STRING, ts TIMESTAMP(3), WATERMARK FOR ts AS ts) WITH ('connector' = 'rows');
CREATE TABLE p (k STRING, name STRING, from_ts TIMESTAMP(3), PRIMARY KEY (k) NOT ENFORCED, WATERMARK FOR from_ts AS from_ts) WITH ('connector' = 'rows');

-- input t
{"id": 1, "k": "a", "ts": "2026-01-01 00:00:01"}
{"id": 2, "k": "a", "ts": "2026-01-01 00:00:11"}
{"id": 3, "k": "b", "ts": "2026-01-01 00:00:12"}
{"id": 4, "k": "nobody", "ts": "2026-01-01 00:00:13"}
-- input p
{"k": "a", "name": "ada", "from_ts": "2026-01-01 00:00:10"}
{"k": "b", "name": "bob", "from_ts": "2026-01-01 00:00:12"}

SELECT t.id, p.name, p.from_ts FROM t JOIN p FOR SYSTEM_TIME AS OF t.ts AS p ON t.k = p.k;
-- duckdb: SELECT t.id, p.name, p.from_ts FROM t ASOF JOIN p ON t.k = p.k AND t.ts >= p.from_ts

-- expect
{"id":2,"name":"ada","from_ts":"2026-01-01 00:00:10"}
{"id":3,"name":"bob","from_ts":"2026-01-01 00:00:12"}
