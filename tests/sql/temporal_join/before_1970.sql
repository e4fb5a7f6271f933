-- Versions and rows around 1970.
CREATE TABLE t (id INT, k INT, ts TIMESTAMP(3), WATERMARK FOR ts AS ts) WITH ('connector' = 'rows');
CREATE TABLE p (k INT, v INT, from_ts TIMESTAMP(3), PRIMARY KEY (k) NOT ENFORCED, WATERMARK FOR from_ts AS from_ts) WITH ('connector' = 'rows');

-- input t
{"id": 1, "k": 1, "ts": "1969-12-31 23:59:58"}
{"id": 2, "k": 1, "ts": "1969-12-31 23:59:59.999"}
{"id": 3, "k": 1, "ts": "1970-01-01 00:00:00"}
-- input p
{"k": 1, "v": -1, "from_ts": "1900-01-01 00:00:00"}
{"k": 1, "v": -2, "from_ts": "1969-12-31 23:59:59"}
{"k": 1, "v": 0, "from_ts": "1970-01-01 00:00:00"}

SELECT t.id, p.v FROM t JOIN p FOR SYSTEM_TIME AS OF t.ts AS p ON t.k = p.k;
-- duckdb: SELECT t.id, p.v FROM t ASOF JOIN p ON t.k = p.k AND t.ts >= p.from_ts

-- expect
{"id":1,"v":-1}
{"id":2,"v":-2}
{"id":3,"v":0}
