-- Replacing, repeating, turning round and padding.
CREATE TABLE t (s STRING) WITH ('connector' = 'rows');

-- input t
{"s": "windmill"}
{"s": "üöü"}
{"s": null}

SELECT REPLACE(s, 'i', '--') AS r, REPEAT(s, 2) AS rep, REVERSE(s) AS rev, LPAD(s, 10, '*') AS lp, RPAD(s, 10, 'ab') AS rp, LPAD(s, 3, '*') AS cut,
  TRANSLATE(s, 'wi', 'W') AS tr, ASCII(s) AS code FROM t WHERE s <> 'üöü' OR s IS NULL;
-- duckdb: SELECT replace(s, 'i', '--') AS r, repeat(s, 2) AS rep, reverse(s) AS rev, lpad(s, 10, '*') AS lp, rpad(s, 10, 'ab') AS rp,
--   lpad(s, 3, '*') AS cut, translate(s, 'wi', 'W') AS tr, ascii(s) AS code FROM t WHERE s <> 'üöü' OR s IS NULL

-- expect
{"r":"w--ndm--ll","rep":"windmillwindmill","rev":"llimdniw","lp":"**windmill","rp":"windmillab","cut":"win","tr":"Wndmll","code":119}
{"r":null,"rep":null,"rev":null,"lp":null,"rp":null,"cut":null,"tr":null,"code":null}
