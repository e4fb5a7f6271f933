CREATE TABLE tx (
  id BIGINT, customer BIGINT, terminal BIGINT, amount DOUBLE, country STRING, tags ARRAY<STRING>,
  ts TIMESTAMP(3),
  WATERMARK FOR ts AS ts - INTERVAL '5' SECOND
) WITH ('connector' = 'filesystem', 'path' = '/in');

CREATE TABLE profiles (
  customer BIGINT, name STRING, age INT, from_ts TIMESTAMP(3),
  PRIMARY KEY (customer) NOT ENFORCED, WATERMARK FOR from_ts AS from_ts
) WITH ('connector' = 'tidemill-log', 'topic' = 'profiles');
SELECT t.id, p.name
FROM tx AS t LEFT JOIN profiles FOR SYSTEM_TIME AS OF t.ts AS p ON t.customer = p.customer;
SELECT t.id, p.name, t.amount
FROM tx AS t JOIN profiles FOR SYSTEM_TIME AS OF t.ts AS p ON p.customer = t.customer + 1 AND p.age > 18
WHERE t.amount > 10;
