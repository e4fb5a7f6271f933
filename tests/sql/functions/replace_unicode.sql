-- The same for letters of several bytes.
CREATE TABLE t (s STRING) WITH ('connector' = 'rows');

-- input t
{"s": "üöü"}
{"s": "水車"}

SELECT REPLACE(s, 'ü', 'ue') AS r, REPEAT(s, 2) AS rep, REVERSE(s) AS rev, LPAD(s, 5, '🌊') AS lp, RPAD(s, 2, 'ab') AS cut, LEFT(s, 1) AS l FROM t;
-- duckdb: SELECT replace(s, 'ü', 'ue') AS r, repeat(s, 2) AS rep, reverse(s) AS rev, lpad(s, 5, '🌊') AS lp, rpad(s, 2, 'ab') AS cut, left(s, 1) AS l FROM t

-- expect
{"r":"ueöue","rep":"üöüüöü","rev":"üöü","lp":"🌊🌊üöü","cut":"üö","l":"ü"}
{"r":"水車","rep":"水車水車","rev":"車水","lp":"🌊🌊🌊水車","cut":"水車","l":"水"}
