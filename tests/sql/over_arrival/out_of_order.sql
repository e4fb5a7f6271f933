-- Each row sees what has come by then: a row that comes after a younger one does not change it.
SET 'table.exec.over.emit' = 'on-arrival';
CREATE TABLE t (k STRING, v INT, ts TIMESTAMP(3), WATERMARK FOR ts AS ts - INTERVAL '5' SECOND) WITH ('connector' = 'rows');

-- input t
{"k": "a", "v": 1, "ts": "2026-01-01 00:00:10"}
{"k": "a", "v": 2, "ts": "2026-01-01 00:00:08"}
{"k": "a", "v": 4, "ts": "2026-01-01 00:00:12"}
{"k": "a", "v": 8, "ts": "2026-01-01 00:00:09"}
{"k": "a", "v": 16, "ts": "2026-01-01 00:00:13"}

SELECT v, SUM(v) OVER (PARTITION BY k ORDER BY ts RANGE BETWEEN INTERVAL '3' SECOND PRECEDING AND CURRENT ROW) AS s FROM t;
-- A row's frame: rows that came before it (or itself), of its time or at most 3 s before.
-- duckdb: SELECT x.v, CAST(sum(y.v) AS INT) AS s FROM t x JOIN t y ON y.k = x.k AND y._i <= x._i AND y.ts BETWEEN x.ts - INTERVAL 3 SECOND AND x.ts GROUP BY x.v

-- expect
{"v":1,"s":1}
{"v":16,"s":21}
{"v":2,"s":2}
{"v":4,"s":5}
{"v":8,"s":10}
