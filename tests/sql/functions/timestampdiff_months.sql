-- Months and years by the calendar: a month is whole when day and clock are reached.
CREATE TABLE t (a DATE, b DATE) WITH ('connector' = 'rows');

-- input t
{"a": "2024-01-15", "b": "2024-02-14"}
{"a": "2024-01-15", "b": "2024-02-15"}
{"a": "2024-02-15", "b": "2024-01-16"}
{"a": "2020-02-29", "b": "2024-02-28"}
{"a": "2023-12-31", "b": "2025-12-31"}

SELECT TIMESTAMPDIFF(MONTH, a, b) AS m, TIMESTAMPDIFF(YEAR, a, b) AS y, TIMESTAMPDIFF(DAY, a, b) AS d FROM t;
-- duckdb: SELECT datesub('month', a, b) AS m, datesub('year', a, b) AS y, datesub('day', a, b) AS d FROM t

-- expect
{"m":0,"y":0,"d":-30}
{"m":0,"y":0,"d":30}
{"m":1,"y":0,"d":31}
{"m":24,"y":2,"d":731}
{"m":47,"y":3,"d":1460}
