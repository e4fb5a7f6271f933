-- Seconds and milliseconds since 1970, negative before.
CREATE TABLE t (n BIGINT) WITH ('connector' = 'rows');

-- input t
{"n": 0}
{"n": -1}
{"n": 1704164645}
{"n": null}

SELECT FROM_UNIXTIME(n) AS s, CAST(TO_TIMESTAMP_LTZ(n, 0) AS TIMESTAMP(3)) AS sec, CAST(TO_TIMESTAMP_LTZ(n, 3) AS TIMESTAMP(3)) AS ms FROM t;
-- duckdb: SELECT strftime(make_timestamp(n * 1000000), '%Y-%m-%d %H:%M:%S') AS s, make_timestamp(n * 1000000) AS sec, make_timestamp(n * 1000) AS ms FROM t

-- expect
{"s":"1969-12-31 23:59:59","sec":"1969-12-31 23:59:59","ms":"1969-12-31 23:59:59.999"}
{"s":"1970-01-01 00:00:00","sec":"1970-01-01 00:00:00","ms":"1970-01-01 00:00:00"}
{"s":"2024-01-02 03:04:05","sec":"2024-01-02 03:04:05","ms":"1970-01-20 17:22:44.645"}
{"s":null,"sec":null,"ms":null}
