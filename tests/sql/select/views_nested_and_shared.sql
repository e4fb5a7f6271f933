-- A view over a view, read by two statements and two sinks: one source, the same rows in both.
CREATE TABLE t (k STRING, v INT) WITH ('connector' = 'rows');
CREATE TABLE high (k STRING, w INT) WITH ('connector' = 'rows');
CREATE TABLE low (w INT) WITH ('connector' = 'rows');

-- input t
{"k": "a", "v": 1}
{"k": "b", "v": 5}
{"k": null, "v": 9}
-- split
{"k": "c", "v": null}

CREATE VIEW doubled AS SELECT k, v * 2 AS w FROM t;
CREATE VIEW known AS SELECT * FROM doubled WHERE w IS NOT NULL;
EXECUTE STATEMENT SET BEGIN
  INSERT INTO high SELECT k, w FROM known WHERE w > 5;
  INSERT INTO low SELECT w FROM known WHERE w <= 5 OR k IS NULL;
END;

-- duckdb high: SELECT k, v * 2 AS w FROM t WHERE v * 2 > 5
-- duckdb low: SELECT v * 2 AS w FROM t WHERE v * 2 <= 5 OR k IS NULL AND v IS NOT NULL
-- expect high
{"k":"b","w":10}
{"k":null,"w":18}
-- expect low
{"w":18}
{"w":2}
