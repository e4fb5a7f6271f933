-- Of several versions with one time the last to come counts.
CREATE TABLE t (id INT, k STRING, ts TIMESTAMP(3), WATERMARK FOR ts AS ts) WITH ('connector' = 'rows');
CREATE TABLE p (k STRING, name STRING, from_ts TIMESTAMP(3), PRIMARY KEY (k) NOT ENFORCED, WATERMARK FOR from_ts AS from_ts - INTERVAL '1' SECOND) WITH ('connector' = 'rows');

-- input t
{"id": 1, "k": "a", "ts": "2026-01-01 00:00:10"}
{"id": 2, "k": "a", "ts": "2026-01-01 00:00:30"}
-- input p
{"k": "a", "name": "wrong", "from_ts": "2026-01-01 00:00:10"}
{"k": "a", "name": "right", "from_ts": "2026-01-01 00:00:10"}
{"k": "a", "name": "newer", "from_ts": "2026-01-01 00:00:20"}
{"k": "a", "name": "newest", "from_ts": "2026-01-01 00:00:20"}

SELECT t.id, p.name FROM t JOIN p FOR SYSTEM_TIME AS OF t.ts AS p ON t.k = p.k;
-- duckdb: SELECT t.id, p.name FROM t ASOF JOIN (SELECT k, from_ts, arg_max(name, _i) AS name FROM p GROUP BY k, from_ts) p ON t.k = p.k AND t.ts >= p.from_ts

-- expect
{"id":1,"name":"right"}
{"id":2,"name":"newest"}
