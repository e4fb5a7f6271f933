-- An aggregate without windows: what remains of its changes is the final count.
CREATE TABLE t (k STRING, v INT) WITH ('connector' = 'rows');

-- input t
{"k": "a", "v": 1}
{"k": "b", "v": 2}
{"k": "a", "v": 4}
{"k": null, "v": 8}
{"k": "a", "v": null}
{"k": null, "v": 16}

SELECT k, COUNT(*) AS n, COUNT(v) AS c, SUM(v) AS s, MIN(v) AS mi, MAX(v) AS ma, AVG(v) AS a FROM t GROUP BY k;
-- duckdb: SELECT k, count(*) AS n, count(v) AS c, sum(v) AS s, min(v) AS mi, max(v) AS ma, CAST(trunc(avg(v)) AS INT) AS a FROM t GROUP BY k

-- expect
{"k":"a","n":3,"c":2,"s":5,"mi":1,"ma":4,"a":2}
{"k":"b","n":1,"c":1,"s":2,"mi":2,"ma":2,"a":2}
{"k":null,"n":2,"c":2,"s":24,"mi":8,"ma":16,"a":12}
