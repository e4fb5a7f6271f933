-- Capitals and trimming, also of letters outside ASCII.
CREATE TABLE t (s STRING) WITH ('connector' = 'rows');

-- input t
{"s": "  Tide Mill "}
{"s": "ÀÉÎ õü"}
{"s": "xxabcx"}
{"s": ""}
{"s": null}

SELECT UPPER(s) AS u, LOWER(s) AS l, TRIM(s) AS t, LTRIM(s) AS lt, RTRIM(s) AS rt, BTRIM(s, 'x') AS b, TRIM(LEADING 'x' FROM s) AS lx,
  TRIM(TRAILING 'x' FROM s) AS tx FROM t;
-- duckdb: SELECT upper(s) AS u, lower(s) AS l, trim(s) AS t, ltrim(s) AS lt, rtrim(s) AS rt, trim(s, 'x') AS b, ltrim(s, 'x') AS lx,
--   rtrim(s, 'x') AS tx FROM t

-- expect
{"u":"  TIDE MILL ","l":"  tide mill ","t":"Tide Mill","lt":"Tide Mill ","rt":"  Tide Mill","b":"  Tide Mill ","lx":"  Tide Mill ","tx":"  Tide Mill "}
{"u":"","l":"","t":"","lt":"","rt":"","b":"","lx":"","tx":""}
{"u":"XXABCX","l":"xxabcx","t":"xxabcx","lt":"xxabcx","rt":"xxabcx","b":"abc","lx":"abcx","tx":"xxabc"}
{"u":"ÀÉÎ ÕÜ","l":"àéî õü","t":"ÀÉÎ õü","lt":"ÀÉÎ õü","rt":"ÀÉÎ õü","b":"ÀÉÎ õü","lx":"ÀÉÎ õü","tx":"ÀÉÎ õü"}
{"u":null,"l":null,"t":null,"lt":null,"rt":null,"b":null,"lx":null,"tx":null}
