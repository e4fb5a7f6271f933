-- Quotes in text: doubled in SQL, escaped in JSON; backslashes mean nothing in SQL.
CREATE TABLE t (s STRING) WITH ('connector' = 'rows');

-- input t
{"s": "it's"}
{"s": "say \"hi\""}
{"s": "back\\slash"}
{"s": "tab\tnew\nline"}
{"s": "\u00e9\ud83c\udf0a"}

SELECT s, s = 'it''s' AS q, s = 'say "hi"' AS d, s = 'back\slash' AS b, s || '''' AS more, CHAR_LENGTH(s) AS n FROM t;
-- duckdb: SELECT s, s = 'it''s' AS q, s = 'say "hi"' AS d, s = 'back\slash' AS b, s || '''' AS more, length(s) AS n FROM t

-- expect
{"s":"back\\slash","q":false,"d":false,"b":true,"more":"back\\slash'","n":10}
{"s":"it's","q":true,"d":false,"b":false,"more":"it's'","n":4}
{"s":"say \"hi\"","q":false,"d":true,"b":false,"more":"say \"hi\"'","n":8}
{"s":"tab\tnew\nline","q":false,"d":false,"b":false,"more":"tab\tnew\nline'","n":12}
{"s":"é🌊","q":false,"d":false,"b":false,"more":"é🌊'","n":2}
