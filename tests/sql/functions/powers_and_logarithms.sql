-- Powers, roots and logarithms.
CREATE TABLE t (x DOUBLE) WITH ('connector' = 'rows');

-- input t
{"x": 1}
{"x": 2}
{"x": 100}
{"x": 0.5}
{"x": null}

SELECT x, POWER(x, 3) AS p, SQRT(x) AS s, EXP(x) AS e, LN(x) AS l, LOG10(x) AS l10, LOG2(x) AS l2, LOG(3, x) AS l3 FROM t;
-- duckdb: SELECT x, pow(x, 3) AS p, sqrt(x) AS s, exp(x) AS e, ln(x) AS l, log10(x) AS l10, log2(x) AS l2, ln(x) / ln(3) AS l3 FROM t

-- expect
{"x":0.5,"p":0.125,"s":0.7071067811865476,"e":1.6487212707001282,"l":-0.6931471805599453,"l10":-0.3010299956639812,"l2":-1,"l3":-0.6309297535714574}
{"x":1,"p":1,"s":1,"e":2.718281828459045,"l":0,"l10":0,"l2":0,"l3":0}
{"x":100,"p":1e+06,"s":10,"e":2.6881171418161356e+43,"l":4.605170185988092,"l10":2,"l2":6.643856189774724,"l3":4.19180654857877}
{"x":2,"p":8,"s":1.4142135623730951,"e":7.38905609893065,"l":0.6931471805599453,"l10":0.3010299956639812,"l2":1,"l3":0.6309297535714574}
{"x":null,"p":null,"s":null,"e":null,"l":null,"l10":null,"l2":null,"l3":null}
