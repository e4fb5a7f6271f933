CREATE TABLE tx (
  id BIGINT, customer BIGINT, terminal BIGINT, amount DOUBLE, country STRING, tags ARRAY<STRING>,
  ts TIMESTAMP(3),
  WATERMARK FOR ts AS ts - INTERVAL '5' SECOND
) WITH ('connector' = 'filesystem', 'path' = '/in');

-- Different windows of one partition and order are one node; another partition is another.
SELECT id,
  COUNT(*) OVER w1 AS n1,
  SUM(amount) OVER (w2 RANGE BETWEEN INTERVAL '7' DAY PRECEDING AND CURRENT ROW) AS s7,
  AVG(amount) OVER (PARTITION BY customer ORDER BY ts ROWS BETWEEN 9 PRECEDING AND CURRENT ROW) AS m10,
  LAG(ts) OVER w2 AS last_ts, LAG(amount, 2) OVER w2 AS before_last,
  COUNT(*) OVER (PARTITION BY terminal ORDER BY ts RANGE BETWEEN INTERVAL '1' DAY PRECEDING AND CURRENT ROW) AS at_terminal,
  COUNT(*) OVER w1 + 1 AS n1_again,
  ROW_NUMBER() OVER (PARTITION BY customer, country = 'DE' ORDER BY ts) AS rn
FROM tx
WINDOW w1 AS (PARTITION BY customer ORDER BY ts RANGE BETWEEN INTERVAL '1' DAY PRECEDING AND CURRENT ROW),
       w2 AS (PARTITION BY customer ORDER BY ts);
SET 'table.exec.over.emit' = 'on-arrival';
SELECT id, FIRST_VALUE(amount) OVER (PARTITION BY customer ORDER BY ts) AS first_amount FROM tx;
