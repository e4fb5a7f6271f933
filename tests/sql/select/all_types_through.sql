-- Every flat type from input to output.
CREATE TABLE t (a TINYINT, b SMALLINT, c INT, d BIGINT, e FLOAT, f DOUBLE, g DECIMAL(12, 4), h BOOLEAN, i STRING, j DATE, k TIME, l TIMESTAMP(3), m TIMESTAMP(6))
WITH ('connector' = 'rows');

-- input t
{"a": -128, "b": 32767, "c": -2147483648, "d": 9007199254740993, "e": 0.5, "f": -1e-7, "g": 12345678.1234, "h": true, "i": "ü\"'", "j": "1969-07-20", "k": "23:59:59", "l": "0001-01-01 00:00:00.001", "m": "2026-01-01 00:00:00.000001"}
{"a": null, "b": null, "c": null, "d": null, "e": null, "f": null, "g": null, "h": null, "i": null, "j": null, "k": null, "l": null, "m": null}

SELECT a, b, c, d, e, f, g, h, i, j, k, l, m FROM t;
-- duckdb: SELECT a, b, c, d, e, f, g, h, i, j, k, l, m FROM t

-- expect
{"a":-128,"b":32767,"c":-2147483648,"d":9007199254740993,"e":0.5,"f":-1e-07,"g":12345678.1234,"h":true,"i":"ü\"'","j":"1969-07-20","k":"23:59:59","l":"0001-01-01 00:00:00.001","m":"2026-01-01 00:00:00.000001"}
{"a":null,"b":null,"c":null,"d":null,"e":null,"f":null,"g":null,"h":null,"i":null,"j":null,"k":null,"l":null,"m":null}
