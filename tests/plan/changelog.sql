CREATE TABLE t (a BIGINT, b DOUBLE, ts TIMESTAMP(3), WATERMARK FOR ts AS ts) WITH ('connector' = 'filesystem');
CREATE TABLE keyed (a BIGINT, n BIGINT, PRIMARY KEY (a) NOT ENFORCED) WITH ('connector' = 'tidemill-log');
CREATE TABLE shown (a BIGINT, n BIGINT) WITH ('connector' = 'print');
-- Updates go to a sink with a key, or to one that shows changes; an aggregate of an aggregate takes rows back.
INSERT INTO keyed SELECT a, COUNT(*) FROM t GROUP BY a HAVING COUNT(*) > 1;
INSERT INTO shown SELECT n, MAX(a) FROM (SELECT a, COUNT(*) AS n FROM t GROUP BY a) GROUP BY n;
INSERT INTO shown SELECT a, n FROM (SELECT a, COUNT(*) AS n FROM t GROUP BY a) UNION ALL SELECT a, 0 FROM t;
-- Windows give inserts only.
INSERT INTO shown SELECT a, COUNT(*) FROM TUMBLE(TABLE t, DESCRIPTOR(ts), INTERVAL '1' HOUR) GROUP BY a, window_start, window_end;
