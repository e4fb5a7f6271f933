CREATE TABLE tx (
  id BIGINT, customer BIGINT, terminal BIGINT, amount DOUBLE, country STRING, tags ARRAY<STRING>,
  ts TIMESTAMP(3),
  WATERMARK FOR ts AS ts - INTERVAL '5' SECOND
) WITH ('connector' = 'filesystem', 'path' = '/in');

CREATE TABLE totals (country STRING, total DOUBLE, PRIMARY KEY (country) NOT ENFORCED) WITH ('connector' = 'feature-store');
INSERT INTO totals SELECT country, SUM(amount) FROM tx GROUP BY country;
SELECT COUNT(*) AS n, AVG(amount) + 1 AS mean, COUNT(*) * 2 AS twice FROM tx;
SELECT DISTINCT country FROM tx;
SELECT UPPER_CASE, COUNT(*) AS n FROM (SELECT country = 'DE' AS UPPER_CASE FROM tx) GROUP BY UPPER_CASE;
SELECT amount > 100 AS big, COUNT(*) AS n FROM tx GROUP BY amount > 100;
