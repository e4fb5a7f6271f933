CREATE TABLE tx (
  id BIGINT, customer BIGINT, terminal BIGINT, amount DOUBLE, country STRING, tags ARRAY<STRING>,
  ts TIMESTAMP(3),
  WATERMARK FOR ts AS ts - INTERVAL '5' SECOND
) WITH ('connector' = 'filesystem', 'path' = '/in');

-- The older spelling.
SELECT customer, TUMBLE_START(ts, INTERVAL '1' MINUTE) AS w, COUNT(*) AS n
FROM tx GROUP BY TUMBLE(ts, INTERVAL '1' MINUTE), customer;
SELECT HOP_END(ts, INTERVAL '1' MINUTE, INTERVAL '5' MINUTE) AS w, MAX(amount) AS top
FROM tx GROUP BY HOP(ts, INTERVAL '1' MINUTE, INTERVAL '5' MINUTE);
SELECT customer, SESSION_ROWTIME(ts, INTERVAL '5' MINUTE) AS w, COUNT(*) AS n
FROM tx GROUP BY customer, SESSION(ts, INTERVAL '5' MINUTE);
