-- Doubles, and integers that become doubles.
CREATE TABLE t (a DOUBLE, b INT) WITH ('connector' = 'rows');

-- input t
{"a": 1.5, "b": 2}
{"a": -0.25, "b": 4}
{"a": 1e300, "b": 10}
{"a": null, "b": 1}
{"a": 0.1, "b": 3}

SELECT a + b AS plus, a - b AS minus, a * b AS times, a / b AS quotient, a * a + b AS more FROM t;
-- duckdb: SELECT a + b AS plus, a - b AS minus, a * b AS times, a / b AS quotient, a * a + b AS more FROM t WHERE a < 1e200 OR a IS NULL
--   UNION ALL SELECT a + b, a - b, a * b, a / b, CAST('Infinity' AS DOUBLE) FROM t WHERE a > 1e200

-- expect
{"plus":1e+300,"minus":1e+300,"times":1e+301,"quotient":1e+299,"more":"Infinity"}
{"plus":3.1,"minus":-2.9,"times":0.30000000000000004,"quotient":0.03333333333333333,"more":3.01}
{"plus":3.5,"minus":-0.5,"times":3,"quotient":0.75,"more":4.25}
{"plus":3.75,"minus":-4.25,"times":-1,"quotient":-0.0625,"more":4.0625}
{"plus":null,"minus":null,"times":null,"quotient":null,"more":null}
