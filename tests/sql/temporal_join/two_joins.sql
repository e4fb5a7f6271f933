-- Two profiles of one row.
CREATE TABLE t (id INT, c INT, m INT, ts TIMESTAMP(3), WATERMARK FOR ts AS ts) WITH ('connector' = 'rows');
CREATE TABLE customers (c INT, city STRING, from_ts TIMESTAMP(3), PRIMARY KEY (c) NOT ENFORCED, WATERMARK FOR from_ts AS from_ts) WITH ('connector' = 'rows');
CREATE TABLE merchants (m INT, kind STRING, from_ts TIMESTAMP(3), PRIMARY KEY (m) NOT ENFORCED, WATERMARK FOR from_ts AS from_ts) WITH ('connector' = 'rows');

-- input t
{"id": 1, "c": 1, "m": 7, "ts": "2026-01-01 00:00:05"}
{"id": 2, "c": 1, "m": 8, "ts": "2026-01-01 00:00:15"}
{"id": 3, "c": 2, "m": 7, "ts": "2026-01-01 00:00:25"}
-- input customers
{"c": 1, "city": "Wien", "from_ts": "2026-01-01 00:00:01"}
{"c": 1, "city": "Köln", "from_ts": "2026-01-01 00:00:10"}
-- input merchants
{"m": 7, "kind": "shop", "from_ts": "2026-01-01 00:00:02"}
{"m": 7, "kind": "bar", "from_ts": "2026-01-01 00:00:20"}

SELECT t.id, c.city, m.kind FROM t
LEFT JOIN customers FOR SYSTEM_TIME AS OF t.ts AS c ON t.c = c.c
LEFT JOIN merchants FOR SYSTEM_TIME AS OF t.ts AS m ON t.m = m.m;
-- duckdb: SELECT t.id, c.city, m.kind FROM t ASOF LEFT JOIN customers c ON t.c = c.c AND t.ts >= c.from_ts ASOF LEFT JOIN merchants m ON t.m = m.m AND t.ts >= m.from_ts

-- expect
{"id":1,"city":"Wien","kind":"shop"}
{"id":2,"city":"Köln","kind":null}
{"id":3,"city":null,"kind":"bar"}
