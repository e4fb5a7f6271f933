-- A table of changes: what is updated and deleted leaves the groups, and rows move from group to group.
CREATE TABLE orders (id INT, customer STRING, amount DECIMAL(10, 2), PRIMARY KEY (id) NOT ENFORCED)
WITH ('connector' = 'rows', 'format' = 'debezium-json');

-- input orders
{"before":null,"after":{"id":1,"customer":"ann","amount":"10.50"},"op":"r","ts_ms":1}
{"before":null,"after":{"id":2,"customer":"bob","amount":"4.00"},"op":"c","ts_ms":2}
{"before":null,"after":{"id":3,"customer":"ann","amount":"7.25"},"op":"c","ts_ms":3}
{"before":{"id":3,"customer":"ann","amount":"7.25"},"after":{"id":3,"customer":"bob","amount":"8.00"},"op":"u","ts_ms":4}
{"before":null,"after":null,"op":"m","message":{"prefix":"p","content":"AQ=="},"ts_ms":5}
{"before":{"id":1,"customer":"ann","amount":"10.50"},"after":null,"op":"d","ts_ms":6}
{"before":null,"after":{"id":4,"customer":"cyd","amount":"1.00"},"op":"c","ts_ms":7}
{"before":{"id":4,"customer":"cyd","amount":"1.00"},"after":{"id":4,"customer":"cyd","amount":"3.00"},"op":"u","ts_ms":8}

SELECT customer, COUNT(*) AS n, SUM(amount) AS s, MIN(amount) AS lo, MAX(amount) AS hi FROM orders GROUP BY customer;

-- expect
{"customer":"bob","n":2,"s":12.00,"lo":4.00,"hi":8.00}
{"customer":"cyd","n":1,"s":3.00,"lo":3.00,"hi":3.00}
