CREATE TABLE tx (
  id BIGINT, customer BIGINT, terminal BIGINT, amount DOUBLE, country STRING, tags ARRAY<STRING>,
  ts TIMESTAMP(3),
  WATERMARK FOR ts AS ts - INTERVAL '5' SECOND
) WITH ('connector' = 'filesystem', 'path' = '/in');

CREATE VIEW per_minute AS
SELECT customer, window_time AS t, SUM(amount) AS total
FROM TABLE(TUMBLE(TABLE tx, DESCRIPTOR(ts), INTERVAL '1' MINUTE))
GROUP BY customer, window_start, window_end, window_time;
SELECT window_start, window_end, SUM(total) AS total
FROM TABLE(TUMBLE(TABLE per_minute, DESCRIPTOR(t), INTERVAL '1' HOUR))
GROUP BY window_start, window_end;
