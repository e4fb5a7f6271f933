CREATE TABLE tx (
  id BIGINT, customer BIGINT, terminal BIGINT, amount DOUBLE, country STRING, tags ARRAY<STRING>,
  ts TIMESTAMP(3),
  WATERMARK FOR ts AS ts - INTERVAL '5' SECOND
) WITH ('connector' = 'filesystem', 'path' = '/in');

SELECT id, amount, ts FROM tx UNION ALL SELECT customer, 1, ts FROM tx UNION ALL SELECT NULL, 2.5, ts FROM tx;
VALUES (1, 'a'), (2, NULL);
SELECT 1 AS a, 'x' AS b;
WITH big AS (SELECT id, amount FROM tx WHERE amount > 100), two (x) AS (SELECT id FROM big)
SELECT * FROM two UNION ALL SELECT id FROM big;
