-- A view of windows, read by two statements.
CREATE TABLE t (k STRING, v INT, ts TIMESTAMP(3), WATERMARK FOR ts AS ts - INTERVAL '5' SECOND) WITH ('connector' = 'rows');
CREATE TABLE small (k STRING, s INT) WITH ('connector' = 'rows');
CREATE TABLE large (k STRING, n BIGINT) WITH ('connector' = 'rows');

-- input t
{"k": "a", "v": 1, "ts": "2026-01-01 00:00:10"}
{"k": "a", "v": 2, "ts": "2026-01-01 00:00:20"}
{"k": "b", "v": 9, "ts": "2026-01-01 00:00:30"}
{"k": "b", "v": 1, "ts": "2026-01-01 00:01:30"}

CREATE VIEW w AS SELECT k, COUNT(*) AS n, SUM(v) AS s FROM TUMBLE(TABLE t, DESCRIPTOR(ts), INTERVAL '1' MINUTE) GROUP BY k, window_start, window_end;
EXECUTE STATEMENT SET BEGIN
  INSERT INTO small SELECT k, s FROM w WHERE s < 5;
  INSERT INTO large SELECT k, n FROM w WHERE n > 1;
END;

-- duckdb small: SELECT k, sum(v) AS s FROM t GROUP BY k, tumble_start(ts, 60) HAVING sum(v) < 5
-- duckdb large: SELECT k, count(*) AS n FROM t GROUP BY k, tumble_start(ts, 60) HAVING count(*) > 1
-- expect small
{"k":"a","s":3}
{"k":"b","s":1}
-- expect large
{"k":"a","n":2}
