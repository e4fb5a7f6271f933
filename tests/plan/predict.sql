CREATE TABLE tx (
  id BIGINT, customer BIGINT, terminal BIGINT, amount DOUBLE, country STRING, tags ARRAY<STRING>,
  ts TIMESTAMP(3),
  WATERMARK FOR ts AS ts - INTERVAL '5' SECOND
) WITH ('connector' = 'filesystem', 'path' = '/in');

CREATE MODEL m INPUT (a DOUBLE, b DOUBLE) OUTPUT (score DOUBLE, id STRING) WITH ('provider' = 'onnx', 'path' = '/m.onnx');
SELECT id, score, id0 FROM ML_PREDICT(TABLE tx, MODEL m, DESCRIPTOR(amount, customer)) WHERE customer > 3;
SELECT p.score FROM TABLE(ML_PREDICT(
  INPUT => TABLE tx, MODEL => MODEL m, ARGS => DESCRIPTOR(amount, amount), CONFIG => MAP['timeout', '5 s'])) AS p;
