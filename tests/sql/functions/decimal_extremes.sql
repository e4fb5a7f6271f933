-- Thirty-eight digits.
CREATE TABLE t (a DECIMAL(38, 4)) WITH ('connector' = 'rows');

-- input t
{"a": "1234567890123456789012345678901234.5678"}
{"a": "-0.0001"}
{"a": null}

SELECT CAST(a AS STRING) AS s, CAST(-a AS STRING) AS n, a > 0 AS positive, CAST(a - a AS STRING) AS zero FROM t;
-- duckdb: SELECT CAST(a AS VARCHAR) AS s, CAST(-a AS VARCHAR) AS n, a > 0 AS positive, CAST(a - a AS VARCHAR) AS zero FROM t

-- expect
{"s":"-0.0001","n":"0.0001","positive":false,"zero":"0.0000"}
{"s":"1234567890123456789012345678901234.5678","n":"-1234567890123456789012345678901234.5678","positive":true,"zero":"0.0000"}
{"s":null,"n":null,"positive":null,"zero":null}
