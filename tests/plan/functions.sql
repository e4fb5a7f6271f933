CREATE TABLE t (
  a BIGINT, d DECIMAL(10, 2), s STRING, ts TIMESTAMP(3), ltz TIMESTAMP_LTZ(3), dt DATE, arr ARRAY<INT>, m MAP<STRING, BIGINT>,
  r ROW<x INT, y ROW<z STRING>>, flag BOOLEAN,
  WATERMARK FOR ltz AS ltz
) WITH ('connector' = 'filesystem');
-- Special call syntax.
SELECT EXTRACT(DAY FROM ts) AS c1, TIMESTAMPDIFF(MINUTE, ts, TIMESTAMP '2026-01-01 00:00:00') AS c2, TIMESTAMPADD(DAY, 1, ts) AS c3,
  FLOOR(ts TO HOUR) AS c4, POSITION('a' IN s) AS c5, SUBSTRING(s FROM 2 FOR 3) AS c6, SUBSTRING(s, 2) AS c7,
  TRIM(s) AS c8, TRIM(LEADING 'x' FROM s) AS c9, TRIM(BOTH FROM s) AS c10, OVERLAY(s PLACING 'x' FROM 1) AS c11,
  s LIKE 'a%' AS c12, s NOT LIKE 'a!%' ESCAPE '!' AS c13, s SIMILAR TO 'a|b' AS c14, s || 'x' || CAST(a AS STRING) AS c15,
  a IN (1, 2, 3, 4, 5, -6) AS c16, a NOT IN (1, 2) AS c17, s IS JSON AS c18, a BETWEEN 1 AND 10 AS c19
FROM t;
-- Nested values.
SELECT arr[1] AS c1, m['k'] AS c2, r.x AS c3, r.y.z AS c4, t.r.y.z AS c5, ARRAY[a, 1] AS c6, MAP['k', a] AS c7, ROW(a, s) AS c8,
  CARDINALITY(arr) AS c9, (ROW(1, a)).EXPR$0 AS c10
FROM t;
-- Conditions and casts.
SELECT COALESCE(a, 0) AS c1, NULLIF(a, 1) AS c2, IF(flag, 1, 2.5) AS c3, CASE s WHEN 'x' THEN 1 WHEN 'y' THEN 2 END AS c4,
  flag IS NOT TRUE AS c5, a IS DISTINCT FROM 5 AS c6, CAST(d AS INT) AS c7, TRY_CAST(s AS DATE) AS c8, ts > dt AS c9,
  ts - INTERVAL '1' DAY AS c10, dt + INTERVAL '1' MONTH AS c11, ABS(-a) AS c12, d * 2 + 0.5 AS c13, LEFT(s, 2) AS c14,
  CAST(ltz AS TIMESTAMP(3)) AS c15
FROM t WHERE ltz > TO_TIMESTAMP_LTZ(0, 3);
-- Windows of TIMESTAMP_LTZ stand on the grid of the session's zone.
SET 'table.local-time-zone' = 'Europe/Berlin';
SELECT window_start, COUNT(*) AS n, LISTAGG(s, ';') AS texts, APPROX_COUNT_DISTINCT(s) AS approx, STDDEV_POP(a) AS spread
FROM TUMBLE(TABLE t, DESCRIPTOR(ltz), INTERVAL '1' DAY) GROUP BY window_start, window_end;
