CREATE TABLE t (a BIGINT, b DOUBLE, ts TIMESTAMP(3), WATERMARK FOR ts AS ts) WITH ('connector' = 'filesystem');
CREATE TABLE x (a BIGINT, n BIGINT) WITH ('connector' = 'print');
CREATE TABLE y (a BIGINT, n BIGINT) WITH ('connector' = 'print');
CREATE VIEW counted AS SELECT a, COUNT(*) OVER (PARTITION BY a ORDER BY ts) AS n FROM t;
-- The condition on the partition would go below OVER, but that would run OVER twice.
EXECUTE STATEMENT SET BEGIN
  INSERT INTO x SELECT a, n FROM counted WHERE a = 1;
  INSERT INTO y SELECT a, n FROM counted WHERE a = 2;
END;
-- Alone it goes.
INSERT INTO x SELECT a, n FROM counted WHERE a = 1;
-- Equal queries under different names are one.
EXECUTE STATEMENT SET BEGIN
  INSERT INTO x SELECT a, COUNT(*) FROM TUMBLE(TABLE t, DESCRIPTOR(ts), INTERVAL '1' MINUTE) GROUP BY a, window_start, window_end;
  INSERT INTO y WITH w AS (SELECT a, COUNT(*) FROM TUMBLE(TABLE t, DESCRIPTOR(ts), INTERVAL '1' MINUTE) GROUP BY a, window_start, window_end)
    SELECT * FROM w;
END;
-- What is not a function of the input is not shared.
EXECUTE STATEMENT SET BEGIN
  INSERT INTO x SELECT a, CAST(RAND() * 10 AS BIGINT) FROM t;
  INSERT INTO y SELECT a, CAST(RAND() * 10 AS BIGINT) FROM t;
END;
