-- Two keys, and a further condition on the version: it does not look for an older version that would hold.
CREATE TABLE t (id INT, a INT, b STRING, ts TIMESTAMP(3), WATERMARK FOR ts AS ts - INTERVAL '5' SECOND) WITH ('connector' = 'rows');
CREATE TABLE p (a INT, b STRING, grade INT, from_ts TIMESTAMP(3), PRIMARY KEY (a, b) NOT ENFORCED, WATERMARK FOR from_ts AS from_ts) WITH ('connector' = 'rows');

-- input t
{"id": 1, "a": 1, "b": "x", "ts": "2026-01-01 00:00:05"}
{"id": 2, "a": 1, "b": "y", "ts": "2026-01-01 00:00:06"}
{"id": 3, "a": 1, "b": "x", "ts": "2026-01-01 00:00:15"}
{"id": 4, "a": 2, "b": "x", "ts": "2026-01-01 00:00:14"}
-- input p
{"a": 1, "b": "x", "grade": 9, "from_ts": "2026-01-01 00:00:01"}
{"a": 1, "b": "y", "grade": 3, "from_ts": "2026-01-01 00:00:02"}
{"a": 2, "b": "x", "grade": 8, "from_ts": "2026-01-01 00:00:03"}
{"a": 1, "b": "x", "grade": 1, "from_ts": "2026-01-01 00:00:10"}

SELECT t.id, p.grade FROM t LEFT JOIN p FOR SYSTEM_TIME AS OF t.ts AS p ON t.a = p.a AND t.b = p.b AND p.grade > 5;
-- duckdb: SELECT id, CASE WHEN grade > 5 THEN grade END AS grade FROM (SELECT t.id, p.grade FROM t ASOF LEFT JOIN p ON t.a = p.a AND t.b = p.b AND t.ts >= p.from_ts)

-- expect
{"id":1,"grade":9}
{"id":2,"grade":null}
{"id":3,"grade":null}
{"id":4,"grade":8}
