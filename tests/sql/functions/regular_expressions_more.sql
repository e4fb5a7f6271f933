-- What is not found: NULL of REGEXP_EXTRACT and REGEXP_SUBSTR, 0 of REGEXP_INSTR and REGEXP_COUNT (Flink's functions page).
CREATE TABLE t (s STRING) WITH ('connector' = 'rows');

-- input t
{"s": "no number"}
{"s": "a1b22c333"}
{"s": null}

SELECT s, REGEXP_COUNT(s, '[0-9]+') AS c, REGEXP_INSTR(s, '[0-9]{2}') AS i, REGEXP_SUBSTR(s, '[0-9]{2,}') AS sub, REGEXP_EXTRACT(s, '[0-9]+') AS e FROM t;

-- expect
{"s": "no number", "c": 0, "i": 0, "sub": null, "e": null}
{"s": "a1b22c333", "c": 3, "i": 4, "sub": "22", "e": "1"}
{"s": null, "c": null, "i": null, "sub": null, "e": null}
