-- AND, OR and NOT over TRUE, FALSE and NULL.
CREATE TABLE t (p BOOLEAN, q BOOLEAN) WITH ('connector' = 'rows');

-- input t
{"p": true, "q": true}
{"p": true, "q": false}
{"p": true, "q": null}
{"p": false, "q": true}
{"p": false, "q": false}
{"p": false, "q": null}
{"p": null, "q": true}
{"p": null, "q": false}
{"p": null, "q": null}

SELECT p, q, p AND q AS a, p OR q AS o, NOT p AS n, p IS TRUE AS it, p IS FALSE AS f, p IS NOT TRUE AS nt, p IS NOT FALSE AS nf, p IS UNKNOWN AS u,
  p IS NOT UNKNOWN AS nu, p = q AS eq FROM t;
-- duckdb: SELECT p, q, p AND q AS a, p OR q AS o, NOT p AS n, coalesce(p, false) AS it, coalesce(NOT p, false) AS f, NOT coalesce(p, false) AS nt,
--   NOT coalesce(NOT p, false) AS nf, p IS NULL AS u, p IS NOT NULL AS nu, p = q AS eq FROM t

-- expect
{"p":false,"q":false,"a":false,"o":false,"n":true,"it":false,"f":true,"nt":true,"nf":false,"u":false,"nu":true,"eq":true}
{"p":false,"q":null,"a":false,"o":null,"n":true,"it":false,"f":true,"nt":true,"nf":false,"u":false,"nu":true,"eq":null}
{"p":false,"q":true,"a":false,"o":true,"n":true,"it":false,"f":true,"nt":true,"nf":false,"u":false,"nu":true,"eq":false}
{"p":null,"q":false,"a":false,"o":null,"n":null,"it":false,"f":false,"nt":true,"nf":true,"u":true,"nu":false,"eq":null}
{"p":null,"q":null,"a":null,"o":null,"n":null,"it":false,"f":false,"nt":true,"nf":true,"u":true,"nu":false,"eq":null}
{"p":null,"q":true,"a":null,"o":true,"n":null,"it":false,"f":false,"nt":true,"nf":true,"u":true,"nu":false,"eq":null}
{"p":true,"q":false,"a":false,"o":true,"n":false,"it":true,"f":false,"nt":false,"nf":true,"u":false,"nu":true,"eq":false}
{"p":true,"q":null,"a":null,"o":true,"n":false,"it":true,"f":false,"nt":false,"nf":true,"u":false,"nu":true,"eq":null}
{"p":true,"q":true,"a":true,"o":true,"n":false,"it":true,"f":false,"nt":false,"nf":true,"u":false,"nu":true,"eq":true}
