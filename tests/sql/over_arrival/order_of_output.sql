-- Rows leave at once, in the order they came.
SET 'table.exec.over.emit' = 'on-arrival';
CREATE TABLE t (k STRING, v INT, ts TIMESTAMP(3), WATERMARK FOR ts AS ts - INTERVAL '5' SECOND) WITH ('connector' = 'rows');

-- input t
{"k": "a", "v": 1, "ts": "2026-01-01 00:00:10"}
{"k": "b", "v": 2, "ts": "2026-01-01 00:00:08"}
{"k": "a", "v": 3, "ts": "2026-01-01 00:00:07"}

SELECT k, v, COUNT(*) OVER (PARTITION BY k ORDER BY ts) AS n FROM t;
-- Row 3 is older than row 1, which is outside its frame.

-- expect ordered
{"k": "a", "v": 1, "n": 1}
{"k": "b", "v": 2, "n": 1}
{"k": "a", "v": 3, "n": 1}
