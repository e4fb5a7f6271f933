-- JSON_VALUE takes values, JSON_QUERY objects and arrays, JSON_EXISTS also sees null.
CREATE TABLE t (j STRING) WITH ('connector' = 'rows');

-- input t
{"j": "{\"a\": 1, \"b\": {\"c\": \"x\"}, \"l\": [1, 2, {\"d\": true}]}"}
{"j": "{\"a\": null}"}
{"j": "[]"}
{"j": null}

SELECT JSON_VALUE(j, '$.a') AS a, JSON_VALUE(j, '$.b.c') AS c, JSON_VALUE(j, '$.l[2].d') AS d, JSON_VALUE(j, '$.b') AS whole, JSON_QUERY(j, '$.b') AS b,
  JSON_QUERY(j, '$.l') AS l, JSON_EXISTS(j, '$.a') AS e, j IS JSON AS is_json FROM t;

-- The texts of row 1 are those of its input; '$.b' is no value, so JSON_VALUE gives NULL (Flink's functions page).
-- expect
{"a": "1", "c": "x", "d": "true", "whole": null, "b": "{\"c\":\"x\"}", "l": "[1,2,{\"d\":true}]", "e": true, "is_json": true}
{"a": null, "c": null, "d": null, "whole": null, "b": null, "l": null, "e": true, "is_json": true}
{"a": null, "c": null, "d": null, "whole": null, "b": null, "l": null, "e": false, "is_json": true}
{"a": null, "c": null, "d": null, "whole": null, "b": null, "l": null, "e": null, "is_json": null}
