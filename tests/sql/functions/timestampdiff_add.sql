-- TIMESTAMPDIFF counts whole units, negative when the second time is earlier.
CREATE TABLE t (a TIMESTAMP(3), b TIMESTAMP(3)) WITH ('connector' = 'rows');

-- input t
{"a": "2024-05-17 10:00:00", "b": "2024-05-18 09:59:59"}
{"a": "2024-05-18 09:59:59", "b": "2024-05-17 10:00:00"}
{"a": "1969-12-31 23:59:59", "b": "1970-01-01 00:00:01"}
{"a": "2024-05-17 10:00:00", "b": "2024-05-17 10:00:00"}
{"a": null, "b": "2024-05-17 10:00:00"}

SELECT TIMESTAMPDIFF(SECOND, a, b) AS s, TIMESTAMPDIFF(MINUTE, a, b) AS m, TIMESTAMPDIFF(HOUR, a, b) AS h, TIMESTAMPDIFF(DAY, a, b) AS d,
  TIMESTAMPADD(MINUTE, 5, a) AS plus FROM t;
-- duckdb: SELECT datesub('second', a, b) AS s, datesub('minute', a, b) AS m, datesub('hour', a, b) AS h, datesub('day', a, b) AS d,
--   a + INTERVAL 5 MINUTE AS plus FROM t

-- expect
{"s":-86399,"m":-1439,"h":-23,"d":0,"plus":"2024-05-18 10:04:59"}
{"s":0,"m":0,"h":0,"d":0,"plus":"2024-05-17 10:05:00"}
{"s":2,"m":0,"h":0,"d":0,"plus":"1970-01-01 00:04:59"}
{"s":86399,"m":1439,"h":23,"d":0,"plus":"2024-05-17 10:05:00"}
{"s":null,"m":null,"h":null,"d":null,"plus":null}
