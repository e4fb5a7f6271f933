-- Two inserts over one view with OVER.
CREATE TABLE t (k STRING, v INT, ts TIMESTAMP(3), WATERMARK FOR ts AS ts - INTERVAL '5' SECOND) WITH ('connector' = 'rows');
CREATE TABLE counts (k STRING, n BIGINT) WITH ('connector' = 'rows');
CREATE TABLE sums (v INT, s INT) WITH ('connector' = 'rows');

-- input t
{"k": "a", "v": 1, "ts": "2026-01-01 00:00:01"}
{"k": "b", "v": 2, "ts": "2026-01-01 00:00:02"}
{"k": "a", "v": 3, "ts": "2026-01-01 00:00:03"}

CREATE VIEW f AS SELECT k, v, COUNT(*) OVER (PARTITION BY k ORDER BY ts) AS n, SUM(v) OVER (PARTITION BY k ORDER BY ts) AS s FROM t;
EXECUTE STATEMENT SET BEGIN
  INSERT INTO counts SELECT k, n FROM f;
  INSERT INTO sums SELECT v, s FROM f WHERE n > 1;
END;

-- duckdb counts: SELECT k, count(*) OVER (PARTITION BY k ORDER BY ts) AS n FROM t
-- duckdb sums: SELECT v, s FROM (SELECT v, count(*) OVER w AS n, sum(v) OVER w AS s FROM t WINDOW w AS (PARTITION BY k ORDER BY ts)) WHERE n > 1
-- expect counts
{"k":"a","n":1}
{"k":"a","n":2}
{"k":"b","n":1}
-- expect sums
{"v":3,"s":4}
