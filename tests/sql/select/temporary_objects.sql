-- TEMPORARY tables and views, IF NOT EXISTS over one that is there, comments on columns.
CREATE TEMPORARY TABLE t (a INT COMMENT 'it''s a', b INT) COMMENT 'rows' WITH ('connector' = 'rows');
CREATE TABLE IF NOT EXISTS t (z STRING) WITH ('connector' = 'rows');
CREATE TEMPORARY VIEW v (x) AS SELECT a + b FROM t;
CREATE VIEW IF NOT EXISTS v AS SELECT 1 AS nothing;

-- input t
{"a": 1, "b": 2}
{"a": null, "b": 2}

SELECT x FROM v;

-- expect
{"x": 3}
{"x": null}
