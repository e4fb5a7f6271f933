-- OVER over the joined rows: the left time stays a time attribute.
CREATE TABLE t (id INT, k STRING, v INT, ts TIMESTAMP(3), WATERMARK FOR ts AS ts) WITH ('connector' = 'rows');
CREATE TABLE p (k STRING, team STRING, from_ts TIMESTAMP(3), PRIMARY KEY (k) NOT ENFORCED, WATERMARK FOR from_ts AS from_ts) WITH ('connector' = 'rows');

-- input t
{"id": 1, "k": "a", "v": 1, "ts": "2026-01-01 00:00:05"}
{"id": 2, "k": "b", "v": 2, "ts": "2026-01-01 00:00:06"}
{"id": 3, "k": "a", "v": 4, "ts": "2026-01-01 00:00:20"}
{"id": 4, "k": "b", "v": 8, "ts": "2026-01-01 00:00:21"}
-- input p
{"k": "a", "team": "red", "from_ts": "2026-01-01 00:00:01"}
{"k": "b", "team": "red", "from_ts": "2026-01-01 00:00:02"}
{"k": "a", "team": "blue", "from_ts": "2026-01-01 00:00:10"}

SELECT j.id, j.team, SUM(j.v) OVER (PARTITION BY j.team ORDER BY j.ts) AS s
FROM (SELECT t.id, t.v, t.ts, p.team FROM t JOIN p FOR SYSTEM_TIME AS OF t.ts AS p ON t.k = p.k) AS j;
-- duckdb: SELECT id, team, sum(v) OVER (PARTITION BY team ORDER BY ts) AS s FROM (SELECT t.id, t.v, t.ts, p.team FROM t ASOF JOIN p ON t.k = p.k AND t.ts >= p.from_ts)

-- expect
{"id":1,"team":"red","s":1}
{"id":2,"team":"red","s":3}
{"id":3,"team":"blue","s":4}
{"id":4,"team":"red","s":11}
