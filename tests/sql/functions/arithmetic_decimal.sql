-- DECIMAL keeps its digits: sums, products and differences are exact.
CREATE TABLE t (a DECIMAL(10, 2), b DECIMAL(8, 3)) WITH ('connector' = 'rows');

-- input t
{"a": 1.10, "b": 2.205}
{"a": -0.01, "b": 0.001}
{"a": 99999999.99, "b": 99999.999}
{"a": null, "b": 1}
{"a": 0.00, "b": -5.5}

SELECT a + b AS plus, a - b AS minus, a * b AS times, -a AS negated, a > b AS more FROM t;
-- duckdb: SELECT a + b AS plus, a - b AS minus, a * b AS times, -a AS negated, a > b AS more FROM t

-- expect
{"plus":-0.009,"minus":-0.011,"times":-0.00001,"negated":0.01,"more":false}
{"plus":-5.500,"minus":5.500,"times":0.00000,"negated":0.00,"more":true}
{"plus":100099999.989,"minus":99899999.991,"times":9999999899000.00001,"negated":-99999999.99,"more":true}
{"plus":3.305,"minus":-1.105,"times":2.42550,"negated":-1.10,"more":false}
{"plus":null,"minus":null,"times":null,"negated":null,"more":null}
