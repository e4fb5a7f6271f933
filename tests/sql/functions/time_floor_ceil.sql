-- FLOOR and CEIL to a unit, on its start and just beside, also before 1970.
CREATE TABLE t (ts TIMESTAMP(3)) WITH ('connector' = 'rows');

-- input t
{"ts": "2026-03-15 13:14:15.5"}
{"ts": "2026-01-01 00:00:00"}
{"ts": "1969-12-31 23:59:59.999"}
{"ts": "1969-12-31 23:00:00"}
{"ts": null}

SELECT ts, FLOOR(ts TO HOUR) AS fh, FLOOR(ts TO DAY) AS fd, FLOOR(ts TO MONTH) AS fm, FLOOR(ts TO YEAR) AS fy, FLOOR(ts TO MINUTE) AS fmi, CEIL(ts TO HOUR) AS ch,
  CEIL(ts TO DAY) AS cd FROM t;
-- duckdb: SELECT ts, date_trunc('hour', ts) AS fh, CAST(date_trunc('day', ts) AS TIMESTAMP) AS fd, CAST(date_trunc('month', ts) AS TIMESTAMP) AS fm,
--   CAST(date_trunc('year', ts) AS TIMESTAMP) AS fy, date_trunc('minute', ts) AS fmi,
--   date_trunc('hour', ts + INTERVAL 1 HOUR - INTERVAL 1 MILLISECOND) AS ch, CAST(date_trunc('day', ts + INTERVAL 1 DAY - INTERVAL 1 MILLISECOND) AS TIMESTAMP) AS cd FROM t

-- expect
{"ts":"1969-12-31 23:00:00","fh":"1969-12-31 23:00:00","fd":"1969-12-31 00:00:00","fm":"1969-12-01 00:00:00","fy":"1969-01-01 00:00:00","fmi":"1969-12-31 23:00:00","ch":"1969-12-31 23:00:00","cd":"1970-01-01 00:00:00"}
{"ts":"1969-12-31 23:59:59.999","fh":"1969-12-31 23:00:00","fd":"1969-12-31 00:00:00","fm":"1969-12-01 00:00:00","fy":"1969-01-01 00:00:00","fmi":"1969-12-31 23:59:00","ch":"1970-01-01 00:00:00","cd":"1970-01-01 00:00:00"}
{"ts":"2026-01-01 00:00:00","fh":"2026-01-01 00:00:00","fd":"2026-01-01 00:00:00","fm":"2026-01-01 00:00:00","fy":"2026-01-01 00:00:00","fmi":"2026-01-01 00:00:00","ch":"2026-01-01 00:00:00","cd":"2026-01-01 00:00:00"}
{"ts":"2026-03-15 13:14:15.5","fh":"2026-03-15 13:00:00","fd":"2026-03-15 00:00:00","fm":"2026-03-01 00:00:00","fy":"2026-01-01 00:00:00","fmi":"2026-03-15 13:14:00","ch":"2026-03-15 14:00:00","cd":"2026-03-16 00:00:00"}
{"ts":null,"fh":null,"fd":null,"fm":null,"fy":null,"fmi":null,"ch":null,"cd":null}
