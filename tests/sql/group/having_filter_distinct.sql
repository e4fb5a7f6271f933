-- HAVING, FILTER and DISTINCT of an aggregate without windows.
CREATE TABLE t (k STRING, v INT) WITH ('connector' = 'rows');

-- input t
{"k": "a", "v": 1}
{"k": "b", "v": 2}
{"k": "a", "v": 1}
{"k": "a", "v": 9}
{"k": "c", "v": null}
{"k": "c", "v": null}

SELECT k, COUNT(DISTINCT v) AS d, COUNT(*) FILTER (WHERE v > 5) AS big FROM t GROUP BY k HAVING COUNT(*) > 1;
-- duckdb: SELECT k, count(DISTINCT v) AS d, count(*) FILTER (WHERE v > 5) AS big FROM t GROUP BY k HAVING count(*) > 1

-- expect
{"k":"a","d":2,"big":1}
{"k":"c","d":0,"big":0}
