CREATE TABLE tx (
  id BIGINT, customer BIGINT, terminal BIGINT, amount DOUBLE, country STRING, tags ARRAY<STRING>,
  ts TIMESTAMP(3),
  WATERMARK FOR ts AS ts - INTERVAL '5' SECOND
) WITH ('connector' = 'filesystem', 'path' = '/in');

SELECT customer, window_start, window_end, COUNT(*) AS n, SUM(amount) AS total
FROM TABLE(TUMBLE(TABLE tx, DESCRIPTOR(ts), INTERVAL '1' MINUTE))
GROUP BY customer, window_start, window_end;
SELECT window_start, COUNT(*) FILTER (WHERE amount > 10) AS big, COUNT(DISTINCT customer) AS customers
FROM HOP(DATA => TABLE tx, TIMECOL => DESCRIPTOR(ts), SLIDE => INTERVAL '1' MINUTE, SIZE => INTERVAL '5' MINUTE)
WHERE country = 'DE'
GROUP BY window_start, window_end
HAVING COUNT(*) > 3;
SELECT country, MAX(amount) AS top, window_end
FROM TABLE(CUMULATE(TABLE tx, DESCRIPTOR(ts), INTERVAL '1' HOUR, INTERVAL '1' DAY, INTERVAL '2' HOUR))
GROUP BY window_start, window_end, country;
SELECT customer, COUNT(*) AS n
FROM TABLE(SESSION(TABLE tx PARTITION BY customer, DESCRIPTOR(ts), INTERVAL '10' MINUTE))
GROUP BY customer, window_start, window_end;
-- A window that no aggregate takes.
SELECT id, window_start FROM TUMBLE(TABLE tx, DESCRIPTOR(ts), INTERVAL '1' MINUTE);
-- Without the window among the keys it is an ordinary aggregate.
SELECT customer, COUNT(*) AS n FROM TUMBLE(TABLE tx, DESCRIPTOR(ts), INTERVAL '1' MINUTE) GROUP BY customer;
