-- Card fraud: per-customer and per-terminal features on event time, a model's score, a rule, actions.
--
-- Back-test over a file (CSV, JSON lines or Parquet), with results on the watermark:
--     tidemill run examples/fraud/fraud.sql -D transactions=PATH -D out=DIR
-- Live, on the embedded log, with results on arrival (live.sql's tables take the place of the ones below):
--     tidemill run -i examples/fraud/live.sql examples/fraud/fraud.sql -D out=DIR -D hold_url=URL

-- What happened.
CREATE TABLE IF NOT EXISTS transactions (
  transaction_id BIGINT,
  tx_time        TIMESTAMP(3),
  customer_id    BIGINT,
  terminal_id    BIGINT,
  amount         DOUBLE,
  WATERMARK FOR tx_time AS tx_time - INTERVAL '0.001' SECOND
) WITH (
  'connector' = 'filesystem',
  'path'      = '${transactions:-transactions.parquet}'
);

-- What became known: whether a transaction was fraud, seven days after it.
CREATE TABLE IF NOT EXISTS labels (
  tx_time     TIMESTAMP(3),
  terminal_id BIGINT,
  is_fraud    BOOLEAN,
  label_time  AS tx_time + INTERVAL '7' DAY,
  WATERMARK FOR label_time AS label_time - INTERVAL '0.001' SECOND
) WITH (
  'connector' = 'filesystem',
  'path'      = '${transactions:-transactions.parquet}'
);

-- What the bank knows of its customers: a version of a customer holds from `valid_from` on.
CREATE TABLE IF NOT EXISTS profiles (
  customer_id  BIGINT,
  valid_from   TIMESTAMP(3),
  single_limit DOUBLE,
  PRIMARY KEY (customer_id) NOT ENFORCED,
  WATERMARK FOR valid_from AS valid_from
) WITH (
  'connector' = 'filesystem',
  'path'      = '${profiles:-${script_dir}/profiles.csv}'
);

CREATE MODEL IF NOT EXISTS fraud_model
INPUT (
  amount DOUBLE, is_weekend INT, is_night INT,
  customer_count_1d BIGINT, customer_count_7d BIGINT, customer_count_30d BIGINT,
  customer_mean_1d DOUBLE, customer_mean_7d DOUBLE, customer_mean_30d DOUBLE,
  terminal_count_1d BIGINT, terminal_count_7d BIGINT, terminal_count_30d BIGINT,
  terminal_fraud_rate_1d DOUBLE, terminal_fraud_rate_7d DOUBLE, terminal_fraud_rate_30d DOUBLE,
  seconds_since_last BIGINT
)
OUTPUT (score DOUBLE, model_version STRING)
WITH (
  'provider' = 'onnx',
  'path'     = '${model:-${script_dir}/fraud_model.onnx}'
);

-- The customer's own pattern. Windows are closed at both ends: [t - w, t], the transaction itself included.
CREATE VIEW customer_view AS
SELECT
  transaction_id, tx_time, customer_id, terminal_id, amount,
  COUNT(*)    OVER last_1d  AS customer_count_1d,
  COUNT(*)    OVER last_7d  AS customer_count_7d,
  COUNT(*)    OVER last_30d AS customer_count_30d,
  AVG(amount) OVER last_1d  AS customer_mean_1d,
  AVG(amount) OVER last_7d  AS customer_mean_7d,
  AVG(amount) OVER last_30d AS customer_mean_30d,
  TIMESTAMPDIFF(SECOND, LAG(tx_time) OVER in_order, tx_time) AS seconds_since_last
FROM transactions
WINDOW
  last_1d  AS (PARTITION BY customer_id ORDER BY tx_time RANGE BETWEEN INTERVAL '1' DAY PRECEDING AND CURRENT ROW),
  last_7d  AS (PARTITION BY customer_id ORDER BY tx_time RANGE BETWEEN INTERVAL '7' DAY PRECEDING AND CURRENT ROW),
  last_30d AS (PARTITION BY customer_id ORDER BY tx_time RANGE BETWEEN INTERVAL '30' DAY PRECEDING AND CURRENT ROW),
  in_order AS (PARTITION BY customer_id ORDER BY tx_time);

-- A terminal sees transactions now and labels a week later, in one order of time.
CREATE VIEW terminal_events AS
SELECT
  terminal_id, tx_time AS event_time, TRUE AS is_transaction, CAST(NULL AS BOOLEAN) AS is_fraud,
  transaction_id, customer_id, amount,
  customer_count_1d, customer_count_7d, customer_count_30d,
  customer_mean_1d, customer_mean_7d, customer_mean_30d, seconds_since_last
FROM customer_view
UNION ALL
SELECT
  terminal_id, label_time, FALSE, is_fraud,
  NULL, NULL, NULL,
  NULL, NULL, NULL,
  NULL, NULL, NULL, NULL
FROM labels;

-- The terminal's risk: the share of fraud among the labels that became known within the window; 0 where nothing is known.
CREATE VIEW terminal_view AS
SELECT
  *,
  COUNT(*) FILTER (WHERE is_transaction) OVER last_1d  AS terminal_count_1d,
  COUNT(*) FILTER (WHERE is_transaction) OVER last_7d  AS terminal_count_7d,
  COUNT(*) FILTER (WHERE is_transaction) OVER last_30d AS terminal_count_30d,
  COALESCE(AVG(CAST(is_fraud AS DOUBLE)) OVER last_1d,  0) AS terminal_fraud_rate_1d,
  COALESCE(AVG(CAST(is_fraud AS DOUBLE)) OVER last_7d,  0) AS terminal_fraud_rate_7d,
  COALESCE(AVG(CAST(is_fraud AS DOUBLE)) OVER last_30d, 0) AS terminal_fraud_rate_30d
FROM terminal_events
WINDOW
  last_1d  AS (PARTITION BY terminal_id ORDER BY event_time RANGE BETWEEN INTERVAL '1' DAY PRECEDING AND CURRENT ROW),
  last_7d  AS (PARTITION BY terminal_id ORDER BY event_time RANGE BETWEEN INTERVAL '7' DAY PRECEDING AND CURRENT ROW),
  last_30d AS (PARTITION BY terminal_id ORDER BY event_time RANGE BETWEEN INTERVAL '30' DAY PRECEDING AND CURRENT ROW);

CREATE VIEW feature_view AS
SELECT
  transaction_id, event_time AS tx_time, customer_id, terminal_id, amount,
  customer_count_1d, customer_count_7d, customer_count_30d,
  customer_mean_1d, customer_mean_7d, customer_mean_30d,
  terminal_count_1d, terminal_count_7d, terminal_count_30d,
  terminal_fraud_rate_1d, terminal_fraud_rate_7d, terminal_fraud_rate_30d,
  CASE WHEN DAYOFWEEK(event_time) IN (1, 7) THEN 1 ELSE 0 END AS is_weekend,
  CASE WHEN HOUR(event_time) <= 6 THEN 1 ELSE 0 END AS is_night,
  seconds_since_last
FROM terminal_view
WHERE is_transaction;

CREATE VIEW scored_view AS
SELECT s.*, p.single_limit
FROM ML_PREDICT(
  TABLE feature_view, MODEL fraud_model,
  DESCRIPTOR(amount, is_weekend, is_night,
             customer_count_1d, customer_count_7d, customer_count_30d,
             customer_mean_1d, customer_mean_7d, customer_mean_30d,
             terminal_count_1d, terminal_count_7d, terminal_count_30d,
             terminal_fraud_rate_1d, terminal_fraud_rate_7d, terminal_fraud_rate_30d,
             seconds_since_last)) AS s
LEFT JOIN profiles FOR SYSTEM_TIME AS OF s.tx_time AS p
ON s.customer_id = p.customer_id;

-- The rule on top: the model blocks what it is sure of; a limit of the customer's profile sends to review.
CREATE VIEW decided_view AS
SELECT
  *,
  CASE
    WHEN score >= ${block_at:-0.8} THEN 'block'
    WHEN score >= ${review_at:-0.2} THEN 'review'
    WHEN amount > single_limit THEN 'review'
    ELSE 'pass'
  END AS decision
FROM scored_view;

-- Where it goes.
CREATE TABLE IF NOT EXISTS features (
  transaction_id BIGINT, tx_time TIMESTAMP(3), customer_id BIGINT, terminal_id BIGINT, amount DOUBLE,
  customer_count_1d BIGINT, customer_count_7d BIGINT, customer_count_30d BIGINT,
  customer_mean_1d DOUBLE, customer_mean_7d DOUBLE, customer_mean_30d DOUBLE,
  terminal_count_1d BIGINT, terminal_count_7d BIGINT, terminal_count_30d BIGINT,
  terminal_fraud_rate_1d DOUBLE, terminal_fraud_rate_7d DOUBLE, terminal_fraud_rate_30d DOUBLE,
  is_weekend INT, is_night INT, seconds_since_last BIGINT,
  PRIMARY KEY (transaction_id) NOT ENFORCED,
  WATERMARK FOR tx_time AS tx_time
) WITH (
  'connector'      = 'feature-store',
  'view'           = 'transaction_features',
  'online.enabled' = 'false',
  'offline.path'   = '${out}/features'
);

CREATE TABLE IF NOT EXISTS customer_features (
  customer_id BIGINT, tx_time TIMESTAMP(3),
  customer_count_1d BIGINT, customer_count_7d BIGINT, customer_count_30d BIGINT,
  customer_mean_1d DOUBLE, customer_mean_7d DOUBLE, customer_mean_30d DOUBLE, seconds_since_last BIGINT,
  PRIMARY KEY (customer_id) NOT ENFORCED,
  WATERMARK FOR tx_time AS tx_time
) WITH (
  'connector'    = 'feature-store',
  'offline.path' = '${out}/customer_features'
);

CREATE TABLE IF NOT EXISTS terminal_features (
  terminal_id BIGINT, tx_time TIMESTAMP(3),
  terminal_count_1d BIGINT, terminal_count_7d BIGINT, terminal_count_30d BIGINT,
  terminal_fraud_rate_1d DOUBLE, terminal_fraud_rate_7d DOUBLE, terminal_fraud_rate_30d DOUBLE,
  PRIMARY KEY (terminal_id) NOT ENFORCED,
  WATERMARK FOR tx_time AS tx_time
) WITH (
  'connector'    = 'feature-store',
  'offline.path' = '${out}/terminal_features'
);

CREATE TABLE IF NOT EXISTS scored (
  transaction_id BIGINT, tx_time TIMESTAMP(3), customer_id BIGINT, terminal_id BIGINT, amount DOUBLE,
  customer_count_1d BIGINT, customer_count_7d BIGINT, customer_count_30d BIGINT,
  customer_mean_1d DOUBLE, customer_mean_7d DOUBLE, customer_mean_30d DOUBLE,
  terminal_count_1d BIGINT, terminal_count_7d BIGINT, terminal_count_30d BIGINT,
  terminal_fraud_rate_1d DOUBLE, terminal_fraud_rate_7d DOUBLE, terminal_fraud_rate_30d DOUBLE,
  is_weekend INT, is_night INT, seconds_since_last BIGINT,
  score DOUBLE, model_version STRING, decision STRING
) WITH (
  'connector' = 'filesystem',
  'path'      = '${out}/scored',
  'format'    = 'parquet'
);

-- Live, scores also go to a topic and blocked transactions to a webhook (live.sql); a back-test sends nothing.
CREATE TABLE IF NOT EXISTS scores (
  transaction_id BIGINT, tx_time TIMESTAMP(3), customer_id BIGINT, terminal_id BIGINT, amount DOUBLE,
  score DOUBLE, model_version STRING, decision STRING
) WITH ('connector' = 'blackhole');

CREATE TABLE IF NOT EXISTS blocked (
  transaction_id BIGINT, tx_time TIMESTAMP(3), customer_id BIGINT, terminal_id BIGINT, amount DOUBLE, score DOUBLE,
  model_version STRING,
  PRIMARY KEY (transaction_id) NOT ENFORCED
) WITH ('connector' = 'blackhole');

EXECUTE STATEMENT SET
BEGIN
  INSERT INTO features
  SELECT transaction_id, tx_time, customer_id, terminal_id, amount,
         customer_count_1d, customer_count_7d, customer_count_30d,
         customer_mean_1d, customer_mean_7d, customer_mean_30d,
         terminal_count_1d, terminal_count_7d, terminal_count_30d,
         terminal_fraud_rate_1d, terminal_fraud_rate_7d, terminal_fraud_rate_30d,
         is_weekend, is_night, seconds_since_last
  FROM feature_view;

  INSERT INTO customer_features
  SELECT customer_id, tx_time,
         customer_count_1d, customer_count_7d, customer_count_30d,
         customer_mean_1d, customer_mean_7d, customer_mean_30d, seconds_since_last
  FROM feature_view;

  INSERT INTO terminal_features
  SELECT terminal_id, tx_time,
         terminal_count_1d, terminal_count_7d, terminal_count_30d,
         terminal_fraud_rate_1d, terminal_fraud_rate_7d, terminal_fraud_rate_30d
  FROM feature_view;

  INSERT INTO scored
  SELECT transaction_id, tx_time, customer_id, terminal_id, amount,
         customer_count_1d, customer_count_7d, customer_count_30d,
         customer_mean_1d, customer_mean_7d, customer_mean_30d,
         terminal_count_1d, terminal_count_7d, terminal_count_30d,
         terminal_fraud_rate_1d, terminal_fraud_rate_7d, terminal_fraud_rate_30d,
         is_weekend, is_night, seconds_since_last,
         score, model_version, decision
  FROM decided_view;

  INSERT INTO scores
  SELECT transaction_id, tx_time, customer_id, terminal_id, amount, score, model_version, decision
  FROM decided_view;

  INSERT INTO blocked
  SELECT transaction_id, tx_time, customer_id, terminal_id, amount, score, model_version
  FROM decided_view
  WHERE decision = 'block';
END;
