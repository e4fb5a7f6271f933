-- A left row at the watermark of both sides is late and is not padded (sql.md; flink#28229).
CREATE TABLE t (id INT, k STRING, ts TIMESTAMP(3), WATERMARK FOR ts AS ts) WITH ('connector' = 'rows');
CREATE TABLE p (k STRING, name STRING, from_ts TIMESTAMP(3), PRIMARY KEY (k) NOT ENFORCED, WATERMARK FOR from_ts AS from_ts) WITH ('connector' = 'rows');

-- input t
{"id": 1, "k": "a", "ts": "2026-01-01 00:00:05"}
{"id": 2, "k": "a", "ts": "2026-01-01 00:01:00"}
{"id": 3, "k": "a", "ts": "2026-01-01 00:00:04"}
{"id": 4, "k": "a", "ts": "2026-01-01 00:02:00"}
-- input p
{"k": "a", "name": "v1", "from_ts": "2026-01-01 00:00:01"}
{"k": "a", "name": "v2", "from_ts": "2026-01-01 00:00:30"}
{"k": "b", "name": "w", "from_ts": "2026-01-01 00:03:00"}

-- The watermark of t stands at 00:01:00 when row 3 comes. Versions below that are read first, so the join's watermark stands past 00:00:04.
SELECT t.id, p.name FROM t LEFT JOIN p FOR SYSTEM_TIME AS OF t.ts AS p ON t.k = p.k;

-- expect
{"id": 1, "name": "v1"}
{"id": 2, "name": "v2"}
{"id": 4, "name": "v2"}
-- rejected late 1
