-- The version valid at the row's time: before the first there is none, at its very time it counts already.
CREATE TABLE t (id INT, k STRING, ts TIMESTAMP(3), WATERMARK FOR ts AS ts) WITH ('connector' = 'rows');
CREATE TABLE p (k STRING, name STRING, from_ts TIMESTAMP(3), PRIMARY KEY (k) NOT ENFORCED, WATERMARK FOR from_ts AS from_ts) WITH ('connector' = 'rows');

-- input t
{"id": 1, "k": "a", "ts": "2026-01-01 00:00:09.999"}
{"id": 2, "k": "a", "ts": "2026-01-01 00:00:10"}
{"id": 3, "k": "a", "ts": "2026-01-01 00:00:19.999"}
{"id": 4, "k": "a", "ts": "2026-01-01 00:00:20"}
{"id": 5, "k": "a", "ts": "2026-01-01 00:00:21"}
-- input p
{"k": "a", "name": "v1", "from_ts": "2026-01-01 00:00:10"}
{"k": "a", "name": "v2", "from_ts": "2026-01-01 00:00:20"}

SELECT t.id, p.name FROM t LEFT JOIN p FOR SYSTEM_TIME AS OF t.ts AS p ON t.k = p.k;
-- duckdb: SELECT t.id, p.name FROM t ASOF LEFT JOIN p ON t.k = p.k AND t.ts >= p.from_ts

-- expect
{"id":1,"name":null}
{"id":2,"name":"v1"}
{"id":3,"name":"v1"}
{"id":4,"name":"v2"}
{"id":5,"name":"v2"}
