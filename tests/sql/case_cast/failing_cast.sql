-- Rows whose CAST fails are refused one by one.
CREATE TABLE t (s STRING) WITH ('connector' = 'rows');

-- input t
{"s": "12"}
{"s": "abc"}
{"s": "13"}
{"s": "1e999x"}
{"s": null}

SELECT CAST(s AS INT) AS i FROM t;

-- expect
{"i": 12}
{"i": 13}
{"i": null}
-- rejected expression 2
