-- Counts of counts: rows are taken back as groups grow.
CREATE TABLE t (k STRING) WITH ('connector' = 'rows');

-- input t
{"k": "a"}
{"k": "b"}
{"k": "a"}
{"k": "c"}
{"k": "c"}
{"k": "a"}

SELECT n, COUNT(*) AS keys FROM (SELECT k, COUNT(*) AS n FROM t GROUP BY k) GROUP BY n;
-- duckdb: SELECT n, count(*) AS keys FROM (SELECT k, count(*) AS n FROM t GROUP BY k) GROUP BY n

-- expect
{"n":1,"keys":1}
{"n":2,"keys":1}
{"n":3,"keys":1}
