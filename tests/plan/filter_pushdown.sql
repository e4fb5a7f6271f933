CREATE TABLE tx (
  id BIGINT, customer BIGINT, terminal BIGINT, amount DOUBLE, country STRING, tags ARRAY<STRING>,
  ts TIMESTAMP(3),
  WATERMARK FOR ts AS ts - INTERVAL '5' SECOND
) WITH ('connector' = 'filesystem', 'path' = '/in');

CREATE VIEW doubled AS SELECT id, customer, amount * 2 AS twice, ts FROM tx;
SELECT id FROM doubled WHERE twice > 10 AND customer = 7;
SELECT * FROM (SELECT id, amount, ts FROM tx UNION ALL SELECT customer, amount, ts FROM tx) WHERE amount > 3;
SELECT * FROM (
  SELECT customer, amount, COUNT(*) OVER (PARTITION BY customer ORDER BY ts) AS n FROM tx
) WHERE customer = 7 AND n > 3;
SELECT * FROM (SELECT customer, COUNT(*) AS n FROM tx GROUP BY customer) WHERE customer > 5 AND n > 2;
