CREATE TABLE tx (
  id BIGINT, customer BIGINT, terminal BIGINT, amount DOUBLE, country STRING, tags ARRAY<STRING>,
  ts TIMESTAMP(3),
  WATERMARK FOR ts AS ts - INTERVAL '5' SECOND
) WITH ('connector' = 'filesystem', 'path' = '/in');

SELECT 1 + 2 * 3 AS seven, CASE WHEN 1 > 2 THEN amount WHEN TRUE THEN 0 ELSE id END AS zero,
       CAST('12' AS INT) AS twelve, 1 / 0 AS fails, amount > 1 AND FALSE AS never
FROM tx;
