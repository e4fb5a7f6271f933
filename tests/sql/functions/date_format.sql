-- DATE_FORMAT and its way back.
CREATE TABLE t (ts TIMESTAMP(3)) WITH ('connector' = 'rows');

-- input t
{"ts": "2024-05-07 03:04:05.060"}
{"ts": "1969-07-20 20:17:40"}
{"ts": null}

SELECT DATE_FORMAT(ts, 'yyyy-MM-dd') AS d, DATE_FORMAT(ts, 'dd.MM.yy HH:mm:ss.SSS') AS a, DATE_FORMAT(ts, 'EEE d MMM yyyy, hh:mm a') AS b,
  TO_TIMESTAMP(DATE_FORMAT(ts, 'yyyyMMddHHmmssSSS'), 'yyyyMMddHHmmssSSS') AS back FROM t;
-- duckdb: SELECT strftime(ts, '%Y-%m-%d') AS d, strftime(ts, '%d.%m.%y %H:%M:%S.') || lpad(CAST(millisecond(ts) % 1000 AS VARCHAR), 3, '0') AS a,
--   strftime(ts, '%a %-d %b %Y, %I:%M %p') AS b, ts AS back FROM t

-- expect
{"d":"1969-07-20","a":"20.07.69 20:17:40.000","b":"Sun 20 Jul 1969, 08:17 PM","back":"1969-07-20 20:17:40"}
{"d":"2024-05-07","a":"07.05.24 03:04:05.060","b":"Tue 7 May 2024, 03:04 AM","back":"2024-05-07 03:04:05.06"}
{"d":null,"a":null,"b":null,"back":null}
