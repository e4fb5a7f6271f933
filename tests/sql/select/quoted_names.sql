-- Names in backticks: keywords, blanks, letters outside ASCII; case counts.
CREATE TABLE t (`select` INT, `a b` STRING, `größe` INT, A INT, a INT) WITH ('connector' = 'rows');

-- input t
{"select": 1, "a b": "x", "größe": 3, "A": 10, "a": 20}
{"select": null, "a b": null, "größe": null, "A": 30, "a": 40}

SELECT `select` + 1 AS `from`, `a b` AS `c``d`, `größe`, A - a AS diff FROM t;

-- Names that differ in case are two columns: 10 - 20 and 30 - 40.
-- expect
{"from": 2, "c`d": "x", "größe": 3, "diff": -10}
{"from": null, "c`d": null, "größe": null, "diff": -10}
