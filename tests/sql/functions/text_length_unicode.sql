-- Lengths in characters and in bytes of UTF-8: letters with accents, an emoji beyond the basic plane, CJK.
CREATE TABLE t (s STRING) WITH ('connector' = 'rows');

-- input t
{"s": "tide"}
{"s": "Mühle"}
{"s": "水車"}
{"s": "🌊🌊"}
{"s": null}
{"s": ""}

SELECT s, CHAR_LENGTH(s) AS n, CHARACTER_LENGTH(s) AS n2, OCTET_LENGTH(s) AS bytes FROM t;
-- duckdb: SELECT s, length(s) AS n, length(s) AS n2, strlen(s) AS bytes FROM t

-- expect
{"s":"","n":0,"n2":0,"bytes":0}
{"s":"Mühle","n":5,"n2":5,"bytes":6}
{"s":"tide","n":4,"n2":4,"bytes":4}
{"s":"水車","n":2,"n2":2,"bytes":6}
{"s":"🌊🌊","n":2,"n2":2,"bytes":8}
{"s":null,"n":null,"n2":null,"bytes":null}
