-- The tables of examples/fraud/fraud.sql for bench/fraud.py: JSON in topics that are read to their end as fast as it goes, as live.sql has them otherwise.
SET 'table.exec.over.emit' = 'on-arrival';
SET 'table.exec.temporal-join.emit' = 'on-arrival';
SET 'execution.checkpointing.interval' = '1 s';

CREATE TABLE transactions (
  transaction_id BIGINT, tx_time TIMESTAMP(3), customer_id BIGINT, terminal_id BIGINT, amount DOUBLE,
  WATERMARK FOR tx_time AS tx_time - INTERVAL '5' SECOND
) WITH (
  'connector' = 'tidemill-log', 'topic' = 'transactions', 'format' = 'json',
  'scan.startup.mode' = 'earliest-offset', 'scan.bounded.mode' = 'latest-offset'
);

CREATE TABLE labels (
  terminal_id BIGINT, is_fraud BOOLEAN, label_time TIMESTAMP(3),
  WATERMARK FOR label_time AS label_time - INTERVAL '5' SECOND
) WITH (
  'connector' = 'tidemill-log', 'topic' = 'labels', 'format' = 'json',
  'scan.startup.mode' = 'earliest-offset', 'scan.bounded.mode' = 'latest-offset'
);

CREATE TABLE features (
  transaction_id BIGINT, tx_time TIMESTAMP(3), customer_id BIGINT, terminal_id BIGINT, amount DOUBLE,
  customer_count_1d BIGINT, customer_count_7d BIGINT, customer_count_30d BIGINT,
  customer_mean_1d DOUBLE, customer_mean_7d DOUBLE, customer_mean_30d DOUBLE,
  terminal_count_1d BIGINT, terminal_count_7d BIGINT, terminal_count_30d BIGINT,
  terminal_fraud_rate_1d DOUBLE, terminal_fraud_rate_7d DOUBLE, terminal_fraud_rate_30d DOUBLE,
  is_weekend INT, is_night INT, seconds_since_last BIGINT
) WITH ('connector' = 'blackhole');

CREATE TABLE scores (
  transaction_id BIGINT, tx_time TIMESTAMP(3), customer_id BIGINT, terminal_id BIGINT, amount DOUBLE,
  score DOUBLE, model_version STRING, decision STRING
) WITH (
  'connector' = 'tidemill-log', 'topic' = 'scores', 'topic.partitions' = '2', 'format' = 'json',
  'sink.delivery-guarantee' = 'exactly-once'
);
