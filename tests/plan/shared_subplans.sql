CREATE TABLE tx (
  id BIGINT, customer BIGINT, terminal BIGINT, amount DOUBLE, country STRING, tags ARRAY<STRING>,
  ts TIMESTAMP(3),
  WATERMARK FOR ts AS ts - INTERVAL '5' SECOND
) WITH ('connector' = 'filesystem', 'path' = '/in');

CREATE TABLE a (customer BIGINT, n BIGINT) WITH ('connector' = 'print');
CREATE TABLE b (id BIGINT, total DOUBLE) WITH ('connector' = 'print');
CREATE VIEW features AS
SELECT id, customer,
  COUNT(*) OVER (PARTITION BY customer ORDER BY ts) AS n,
  SUM(amount) OVER (PARTITION BY customer ORDER BY ts) AS total
FROM tx WHERE amount > 0;
-- Both sinks read one source and one OVER.
EXECUTE STATEMENT SET BEGIN
  INSERT INTO a SELECT customer, n FROM features WHERE n > 10;
  INSERT INTO b (id, total) SELECT id, total FROM features;
END;
-- Neighbouring INSERTs as well; a table that is read twice is read once.
INSERT INTO a SELECT customer, id FROM tx;
INSERT INTO b SELECT id, amount FROM tx WHERE amount > 10;
