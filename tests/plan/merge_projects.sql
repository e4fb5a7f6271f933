CREATE TABLE t (a BIGINT, b DOUBLE, c STRING, ts TIMESTAMP(3), WATERMARK FOR ts AS ts) WITH ('connector' = 'filesystem');
CREATE TABLE x (a BIGINT, n DOUBLE) WITH ('connector' = 'print');
CREATE TABLE y (a BIGINT, n DOUBLE) WITH ('connector' = 'print');
CREATE VIEW computed AS SELECT a + 1 AS a, SQRT(b) AS root, UPPER(c) AS c FROM t;
-- Renamings and computations that are used once become one project.
SELECT a * 2 AS twice, root AS r FROM (SELECT * FROM (SELECT a, root FROM computed));
-- What is used twice is computed once, below.
SELECT root + root AS sum_of_roots FROM computed;
-- What two sinks read stays one computation.
EXECUTE STATEMENT SET BEGIN
  INSERT INTO x SELECT a, root FROM computed;
  INSERT INTO y SELECT a, root + 1 FROM computed;
END;
-- Filters above one another are one; one on cheap expressions goes below the project.
SELECT a FROM (SELECT * FROM (SELECT * FROM computed WHERE a > 1) WHERE root > 2) WHERE c <> 'X';
-- A random number is not drawn twice.
SELECT r + r AS even FROM (SELECT RAND() AS r FROM t);
