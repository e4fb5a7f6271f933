-- The tables of examples/fraud/fraud.sql over topics that are read to their end, for tests that kill the process on the way.
-- Variables: emit (on-watermark | on-arrival), out, hold_url.
SET 'table.exec.over.emit' = '${emit}';
SET 'table.exec.temporal-join.emit' = '${emit}';
SET 'execution.checkpointing.interval' = '50 ms';

CREATE TABLE arrived (
  transaction_id BIGINT,
  tx_time        TIMESTAMP(3),
  customer_id    BIGINT,
  terminal_id    BIGINT,
  amount         DOUBLE,
  WATERMARK FOR tx_time AS tx_time - INTERVAL '0.001' SECOND
) WITH (
  'connector' = 'tidemill-log', 'topic' = 'transactions', 'format' = 'json',
  'scan.startup.mode' = 'earliest-offset', 'scan.bounded.mode' = 'latest-offset'
);

-- Input that takes its time: rows are let through at a pace that the rest keeps up with, so that queues are short, epochs follow each other
-- quickly, and a kill falls on another part of the input each time. Without it all of the input is in the queues after a few of them.
CREATE VIEW transactions AS
SELECT * FROM arrived WHERE CHAR_LENGTH(SHA512(REPEAT(CAST(transaction_id AS STRING), 300))) = 128;

CREATE TABLE labels (
  terminal_id BIGINT,
  is_fraud    BOOLEAN,
  label_time  TIMESTAMP(3),
  WATERMARK FOR label_time AS label_time - INTERVAL '0.001' SECOND
) WITH (
  'connector' = 'tidemill-log', 'topic' = 'labels', 'format' = 'json',
  'scan.startup.mode' = 'earliest-offset', 'scan.bounded.mode' = 'latest-offset'
);

CREATE TABLE scores (
  transaction_id BIGINT, tx_time TIMESTAMP(3), customer_id BIGINT, terminal_id BIGINT, amount DOUBLE,
  score DOUBLE, model_version STRING, decision STRING
) WITH (
  'connector' = 'tidemill-log', 'topic' = 'scores', 'format' = 'json', 'sink.delivery-guarantee' = 'exactly-once'
);

CREATE TABLE blocked (
  transaction_id BIGINT, tx_time TIMESTAMP(3), customer_id BIGINT, terminal_id BIGINT, amount DOUBLE, score DOUBLE,
  model_version STRING,
  PRIMARY KEY (transaction_id) NOT ENFORCED,
  WATERMARK FOR tx_time AS tx_time
) WITH (
  'connector' = 'http', 'url' = '${hold_url}', 'format' = 'json', 'allow-addresses' = '127.0.0.0/8',
  'retry.backoff' = '10 ms', 'park-after' = '50 ms'
);
