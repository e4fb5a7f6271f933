-- ABS and SIGN of integers, doubles and decimals.
CREATE TABLE t (i BIGINT, d DOUBLE, c DECIMAL(6, 2)) WITH ('connector' = 'rows');

-- input t
{"i": -5, "d": -2.5, "c": -3.25}
{"i": 0, "d": 0.0, "c": 0.00}
{"i": 9007199254740993, "d": 1e10, "c": 9999.99}
{"i": null, "d": null, "c": null}

SELECT ABS(i) AS abs_i, ABS(d) AS abs_d, ABS(c) AS abs_c, SIGN(i) AS sign_i FROM t;
-- duckdb: SELECT abs(i) AS abs_i, abs(d) AS abs_d, abs(c) AS abs_c, sign(i) AS sign_i FROM t

-- expect
{"abs_i":0,"abs_d":0,"abs_c":0.00,"sign_i":0}
{"abs_i":5,"abs_d":2.5,"abs_c":3.25,"sign_i":-1}
{"abs_i":9007199254740993,"abs_d":1e+10,"abs_c":9999.99,"sign_i":1}
{"abs_i":null,"abs_d":null,"abs_c":null,"sign_i":null}
