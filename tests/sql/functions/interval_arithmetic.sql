-- Times and intervals; months keep the day or take the last one.
CREATE TABLE t (ts TIMESTAMP(3), d DATE) WITH ('connector' = 'rows');

-- input t
{"ts": "2024-01-31 10:00:00", "d": "2024-01-31"}
{"ts": "2023-03-01 00:00:00.001", "d": "2023-03-01"}
{"ts": "1969-12-31 23:59:59", "d": "1969-12-31"}
{"ts": null, "d": null}

SELECT ts + INTERVAL '1' DAY AS a, ts - INTERVAL '90' MINUTE AS b, ts + INTERVAL '1' MONTH AS c, ts - INTERVAL '1' YEAR AS e,
  ts + INTERVAL '1 02:03:04' DAY TO SECOND AS f, d + INTERVAL '1' MONTH AS g, d - INTERVAL '1' DAY AS h, ts + INTERVAL '1-1' YEAR TO MONTH AS i,
  ts + INTERVAL '0.001' SECOND AS j FROM t;
-- duckdb: SELECT ts + INTERVAL 1 DAY AS a, ts - INTERVAL 90 MINUTE AS b, ts + INTERVAL 1 MONTH AS c, ts - INTERVAL 1 YEAR AS e,
--   ts + INTERVAL 93784 SECOND AS f, CAST(d + INTERVAL 1 MONTH AS DATE) AS g, CAST(d - INTERVAL 1 DAY AS DATE) AS h, ts + INTERVAL 13 MONTH AS i,
--   ts + INTERVAL 1 MILLISECOND AS j FROM t

-- expect
{"a":"1970-01-01 23:59:59","b":"1969-12-31 22:29:59","c":"1970-01-31 23:59:59","e":"1968-12-31 23:59:59","f":"1970-01-02 02:03:03","g":"1970-01-31","h":"1969-12-30","i":"1971-01-31 23:59:59","j":"1969-12-31 23:59:59.001"}
{"a":"2023-03-02 00:00:00.001","b":"2023-02-28 22:30:00.001","c":"2023-04-01 00:00:00.001","e":"2022-03-01 00:00:00.001","f":"2023-03-02 02:03:04.001","g":"2023-04-01","h":"2023-02-28","i":"2024-04-01 00:00:00.001","j":"2023-03-01 00:00:00.002"}
{"a":"2024-02-01 10:00:00","b":"2024-01-31 08:30:00","c":"2024-02-29 10:00:00","e":"2023-01-31 10:00:00","f":"2024-02-01 12:03:04","g":"2024-02-29","h":"2024-01-30","i":"2025-02-28 10:00:00","j":"2024-01-31 10:00:00.001"}
{"a":null,"b":null,"c":null,"e":null,"f":null,"g":null,"h":null,"i":null,"j":null}
