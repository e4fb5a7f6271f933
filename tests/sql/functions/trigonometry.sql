-- Angles, as DuckDB computes them.
CREATE TABLE t (x DOUBLE) WITH ('connector' = 'rows');

-- input t
{"x": 0.25}
{"x": -1}
{"x": 1}
{"x": null}

SELECT SIN(x) AS s, COS(x) AS c, TAN(x) AS t, ASIN(x) AS a, ACOS(x) AS ac, ATAN(x) AS at, ATAN2(x, 2) AS at2, COT(x) AS ct, DEGREES(x) AS d,
  RADIANS(x) AS r, SINH(x) AS sh, COSH(x) AS ch, TANH(x) AS th FROM t;
-- duckdb: SELECT sin(x) AS s, cos(x) AS c, tan(x) AS t, asin(x) AS a, acos(x) AS ac, atan(x) AS at, atan2(x, 2) AS at2, cot(x) AS ct, degrees(x) AS d,
--   radians(x) AS r, sinh(x) AS sh, cosh(x) AS ch, tanh(x) AS th FROM t

-- expect
{"s":-0.8414709848078965,"c":0.5403023058681398,"t":-1.5574077246549023,"a":-1.5707963267948966,"ac":3.141592653589793,"at":-0.7853981633974483,"at2":-0.4636476090008061,"ct":-0.6420926159343306,"d":-57.29577951308232,"r":-0.017453292519943295,"sh":-1.1752011936438014,"ch":1.5430806348152437,"th":-0.7615941559557649}
{"s":0.24740395925452294,"c":0.9689124217106447,"t":0.25534192122103627,"a":0.25268025514207865,"ac":1.318116071652818,"at":0.24497866312686414,"at2":0.12435499454676144,"ct":3.91631736464594,"d":14.32394487827058,"r":0.004363323129985824,"sh":0.2526123168081683,"ch":1.0314130998795732,"th":0.24491866240370913}
{"s":0.8414709848078965,"c":0.5403023058681398,"t":1.5574077246549023,"a":1.5707963267948966,"ac":0,"at":0.7853981633974483,"at2":0.4636476090008061,"ct":0.6420926159343306,"d":57.29577951308232,"r":0.017453292519943295,"sh":1.1752011936438014,"ch":1.5430806348152437,"th":0.7615941559557649}
{"s":null,"c":null,"t":null,"a":null,"ac":null,"at":null,"at2":null,"ct":null,"d":null,"r":null,"sh":null,"ch":null,"th":null}
