-- Integers: quotients are cut toward zero, the rest has the sign of the dividend, NULL spreads.
CREATE TABLE t (a INT, b INT) WITH ('connector' = 'rows');

-- input t
{"a": 7, "b": 2}
{"a": -7, "b": 2}
{"a": 7, "b": -2}
{"a": -7, "b": -2}
{"a": 0, "b": 5}
{"a": null, "b": 2}
{"a": 3, "b": null}

SELECT a, b, a + b AS plus, a - b AS minus, a * b AS times, a / b AS quotient, a % b AS rest, MOD(a, b) AS mod_rest, -a AS minus_a FROM t;
-- duckdb: SELECT a, b, a + b AS plus, a - b AS minus, a * b AS times, CAST(trunc(a / b) AS INTEGER) AS quotient, a % b AS rest, a % b AS mod_rest,
--   -a AS minus_a FROM t

-- expect
{"a":-7,"b":-2,"plus":-9,"minus":-5,"times":14,"quotient":3,"rest":-1,"mod_rest":-1,"minus_a":7}
{"a":-7,"b":2,"plus":-5,"minus":-9,"times":-14,"quotient":-3,"rest":-1,"mod_rest":-1,"minus_a":7}
{"a":0,"b":5,"plus":5,"minus":-5,"times":0,"quotient":0,"rest":0,"mod_rest":0,"minus_a":0}
{"a":3,"b":null,"plus":null,"minus":null,"times":null,"quotient":null,"rest":null,"mod_rest":null,"minus_a":-3}
{"a":7,"b":-2,"plus":5,"minus":9,"times":-14,"quotient":-3,"rest":1,"mod_rest":1,"minus_a":-7}
{"a":7,"b":2,"plus":9,"minus":5,"times":14,"quotient":3,"rest":1,"mod_rest":1,"minus_a":-7}
{"a":null,"b":2,"plus":null,"minus":null,"times":null,"quotient":null,"rest":null,"mod_rest":null,"minus_a":null}
