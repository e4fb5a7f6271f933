CREATE TABLE tx (
  id BIGINT, customer BIGINT, terminal BIGINT, amount DOUBLE, country STRING, tags ARRAY<STRING>,
  ts TIMESTAMP(3),
  WATERMARK FOR ts AS ts - INTERVAL '5' SECOND
) WITH ('connector' = 'filesystem', 'path' = '/in');

SET 'table.exec.over.emit' = 'on-arrival';
CREATE MODEL m INPUT (a DOUBLE, n BIGINT) OUTPUT (score DOUBLE) WITH ('provider' = 'onnx', 'path' = '/m.onnx');
CREATE TABLE hook (id BIGINT, score DOUBLE, PRIMARY KEY (id) NOT ENFORCED) WITH ('connector' = 'http', 'url' = 'http://x');
CREATE TABLE scored (id BIGINT, n BIGINT, score DOUBLE) WITH ('connector' = 'tidemill-log');
CREATE VIEW features AS SELECT id, amount, ts, COUNT(*) OVER (PARTITION BY customer ORDER BY ts) AS n FROM tx;
CREATE VIEW scores AS SELECT * FROM ML_PREDICT(TABLE features, MODEL m, DESCRIPTOR(amount, n));
EXECUTE STATEMENT SET BEGIN
  INSERT INTO scored SELECT id, n, score FROM scores;
  INSERT INTO hook SELECT id, score FROM scores WHERE score > 0.9;
END;
