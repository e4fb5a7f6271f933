-- SPLIT_INDEX counts from 0; beyond the last piece it is NULL (Flink's functions page). Neighbouring separators hold an empty piece.
CREATE TABLE t (s STRING) WITH ('connector' = 'rows');

-- input t
{"s": "a,b,c"}
{"s": "a,,c"}
{"s": null}
{"s": "one"}

SELECT SPLIT_INDEX(s, ',', 0) AS p0, SPLIT_INDEX(s, ',', 1) AS p1, SPLIT_INDEX(s, ',', 2) AS p2, SPLIT_INDEX(s, ',', 3) AS p3 FROM t;

-- expect
{"p0": "a", "p1": "b", "p2": "c", "p3": null}
{"p0": "a", "p1": "", "p2": "c", "p3": null}
{"p0": null, "p1": null, "p2": null, "p3": null}
{"p0": "one", "p1": null, "p2": null, "p3": null}
