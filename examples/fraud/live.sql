-- The tables of fraud.sql as they are when it runs live: input from topics of the embedded log, scores at once, blocks to a webhook.
--     tidemill run -i examples/fraud/live.sql examples/fraud/fraud.sql -D out=DIR -D hold_url=URL

-- Each transaction gets its features when it arrives, from what has arrived by then: a score never waits for the watermark.
SET 'table.exec.over.emit' = 'on-arrival';
SET 'table.exec.temporal-join.emit' = 'on-arrival';
SET 'execution.checkpointing.interval' = '${checkpoint_interval:-1 s}';

CREATE TABLE transactions (
  transaction_id BIGINT,
  tx_time        TIMESTAMP(3),
  customer_id    BIGINT,
  terminal_id    BIGINT,
  amount         DOUBLE,
  WATERMARK FOR tx_time AS tx_time - INTERVAL '5' SECOND
) WITH (
  'connector' = 'tidemill-log',
  'topic'     = 'transactions',
  'topic.auto-create' = 'true',
  'topic.partitions'  = '2',
  'format'    = 'json',
  'scan.startup.mode' = 'earliest-offset',
  'scan.watermark.idle-timeout' = '1 s'
);

CREATE TABLE labels (
  terminal_id BIGINT,
  is_fraud    BOOLEAN,
  label_time  TIMESTAMP(3),
  WATERMARK FOR label_time AS label_time - INTERVAL '5' SECOND
) WITH (
  'connector' = 'tidemill-log',
  'topic'     = 'labels',
  'topic.auto-create' = 'true',
  'format'    = 'json',
  'scan.startup.mode' = 'earliest-offset',
  'scan.watermark.idle-timeout' = '1 s'
);

-- Scored transactions already hold every feature: live, the transaction-level view is not stored a second time.
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
  'connector' = 'tidemill-log',
  'topic'     = 'scores',
  'format'    = 'json',
  'sink.delivery-guarantee' = 'exactly-once'
);

CREATE TABLE blocked (
  transaction_id BIGINT, tx_time TIMESTAMP(3), customer_id BIGINT, terminal_id BIGINT, amount DOUBLE, score DOUBLE,
  model_version STRING,
  PRIMARY KEY (transaction_id) NOT ENFORCED,
  WATERMARK FOR tx_time AS tx_time
) WITH (
  'connector' = 'http',
  'url'       = '${hold_url}',
  'format'    = 'json',
  'allow-addresses' = '${allow_addresses:-127.0.0.0/8}'
);
