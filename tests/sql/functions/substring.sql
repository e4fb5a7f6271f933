-- SUBSTRING counts characters from 1; beyond the end it is empty, and its length may pass the end.
CREATE TABLE t (s STRING) WITH ('connector' = 'rows');

-- input t
{"s": "tidemill"}
{"s": "Mühle水"}
{"s": "a"}
{"s": null}

SELECT s, SUBSTRING(s, 1, 4) AS a, SUBSTRING(s, 3) AS b, SUBSTRING(s, -2) AS c, SUBSTR(s, 2, 100) AS d, SUBSTRING(s FROM 2 FOR 1) AS e, LEFT(s, 2) AS l,
  RIGHT(s, 2) AS r FROM t WHERE s <> 'a' OR s IS NULL;
-- duckdb: SELECT s, substring(s, 1, 4) AS a, substring(s, 3) AS b, substring(s, -2) AS c, substr(s, 2, 100) AS d, substring(s, 2, 1) AS e,
--   left(s, 2) AS l, right(s, 2) AS r FROM t WHERE s <> 'a' OR s IS NULL

-- expect
{"s":"Mühle水","a":"Mühl","b":"hle水","c":"e水","d":"ühle水","e":"ü","l":"Mü","r":"e水"}
{"s":"tidemill","a":"tide","b":"demill","c":"ll","d":"idemill","e":"i","l":"ti","r":"ll"}
{"s":null,"a":null,"b":null,"c":null,"d":null,"e":null,"l":null,"r":null}
