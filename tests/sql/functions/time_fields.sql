-- Fields of times, before 1970 and on a leap day; weeks are ISO's, Sunday is day 1.
CREATE TABLE t (ts TIMESTAMP(3)) WITH ('connector' = 'rows');

-- input t
{"ts": "2024-02-29 23:59:59.999"}
{"ts": "1969-12-31 23:59:59.001"}
{"ts": "1970-01-01 00:00:00"}
{"ts": "1900-03-01 12:30:00"}
{"ts": "2021-01-03 00:00:00"}
{"ts": null}

SELECT ts, YEAR(ts) AS y, QUARTER(ts) AS q, MONTH(ts) AS m, WEEK(ts) AS w, DAYOFYEAR(ts) AS doy, DAYOFMONTH(ts) AS dom, DAYOFWEEK(ts) AS dow, HOUR(ts) AS h,
  MINUTE(ts) AS mi, SECOND(ts) AS s, EXTRACT(MILLISECOND FROM ts) AS ms FROM t;
-- duckdb: SELECT ts, year(ts) AS y, quarter(ts) AS q, month(ts) AS m, week(ts) AS w, dayofyear(ts) AS doy, day(ts) AS dom, dayofweek(ts) + 1 AS dow,
--   hour(ts) AS h, minute(ts) AS mi, second(ts) AS s, millisecond(ts) % 1000 AS ms FROM t

-- expect
{"ts":"1900-03-01 12:30:00","y":1900,"q":1,"m":3,"w":9,"doy":60,"dom":1,"dow":5,"h":12,"mi":30,"s":0,"ms":0}
{"ts":"1969-12-31 23:59:59.001","y":1969,"q":4,"m":12,"w":1,"doy":365,"dom":31,"dow":4,"h":23,"mi":59,"s":59,"ms":1}
{"ts":"1970-01-01 00:00:00","y":1970,"q":1,"m":1,"w":1,"doy":1,"dom":1,"dow":5,"h":0,"mi":0,"s":0,"ms":0}
{"ts":"2021-01-03 00:00:00","y":2021,"q":1,"m":1,"w":53,"doy":3,"dom":3,"dow":1,"h":0,"mi":0,"s":0,"ms":0}
{"ts":"2024-02-29 23:59:59.999","y":2024,"q":1,"m":2,"w":9,"doy":60,"dom":29,"dow":5,"h":23,"mi":59,"s":59,"ms":999}
{"ts":null,"y":null,"q":null,"m":null,"w":null,"doy":null,"dom":null,"dow":null,"h":null,"mi":null,"s":null,"ms":null}
