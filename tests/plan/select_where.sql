CREATE TABLE tx (
  id BIGINT, customer BIGINT, terminal BIGINT, amount DOUBLE, country STRING, tags ARRAY<STRING>,
  ts TIMESTAMP(3),
  WATERMARK FOR ts AS ts - INTERVAL '5' SECOND
) WITH ('connector' = 'filesystem', 'path' = '/in');

CREATE TABLE out_t (id BIGINT, big BOOLEAN) WITH ('connector' = 'print');
-- Only the columns that are read are decoded; constants are folded.
INSERT INTO out_t SELECT id, amount > 10 * 10 FROM tx WHERE country = 'DE' AND 1 = 1 AND amount > 5;
SELECT *, amount * 2 AS twice FROM tx;
SELECT id FROM tx WHERE TRUE;
