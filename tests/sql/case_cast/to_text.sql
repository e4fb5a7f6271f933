-- Numbers, truth values and times as text.
CREATE TABLE t (i BIGINT, c DECIMAL(8, 3), b BOOLEAN, d DATE, ts TIMESTAMP(3)) WITH ('connector' = 'rows');

-- input t
{"i": -5, "c": 1.500, "b": true, "d": "2024-02-29", "ts": "2024-02-29 01:02:03.004"}
{"i": 0, "c": -0.001, "b": false, "d": "1969-12-31", "ts": "1969-12-31 23:59:59.999"}
{"i": null, "c": null, "b": null, "d": null, "ts": null}

SELECT CAST(i AS STRING) AS i, CAST(c AS STRING) AS c, UPPER(CAST(b AS STRING)) AS b, CAST(d AS STRING) AS d, CAST(ts AS STRING) AS ts FROM t;
-- duckdb: SELECT CAST(i AS VARCHAR) AS i, CAST(c AS VARCHAR) AS c, upper(CAST(b AS VARCHAR)) AS b, CAST(d AS VARCHAR) AS d, CAST(ts AS VARCHAR) AS ts FROM t

-- expect
{"i":"-5","c":"1.500","b":"TRUE","d":"2024-02-29","ts":"2024-02-29 01:02:03.004"}
{"i":"0","c":"-0.001","b":"FALSE","d":"1969-12-31","ts":"1969-12-31 23:59:59.999"}
{"i":null,"c":null,"b":null,"d":null,"ts":null}
