-- Where a text is found, in characters.
CREATE TABLE t (s STRING, p STRING) WITH ('connector' = 'rows');

-- input t
{"s": "tidemill", "p": "il"}
{"s": "tidemill", "p": "x"}
{"s": "Mühle", "p": "h"}
{"s": "水車水", "p": "水"}
{"s": null, "p": "a"}
{"s": "a", "p": null}

SELECT POSITION(p IN s) AS pos, INSTR(s, p) AS i, LOCATE(p, s) AS l, STARTSWITH(s, p) AS sw, ENDSWITH(s, p) AS ew FROM t;
-- duckdb: SELECT position(p IN s) AS pos, instr(s, p) AS i, instr(s, p) AS l, starts_with(s, p) AS sw, ends_with(s, p) AS ew FROM t

-- expect
{"pos":0,"i":0,"l":0,"sw":false,"ew":false}
{"pos":1,"i":1,"l":1,"sw":true,"ew":true}
{"pos":3,"i":3,"l":3,"sw":false,"ew":false}
{"pos":6,"i":6,"l":6,"sw":false,"ew":false}
{"pos":null,"i":null,"l":null,"sw":null,"ew":null}
{"pos":null,"i":null,"l":null,"sw":null,"ew":null}
