-- A table of changes as versions: each row finds what held at its time.
CREATE TABLE rates (
  currency STRING, rate INT, ts TIMESTAMP_LTZ(3) METADATA FROM 'value.source.timestamp' VIRTUAL,
  WATERMARK FOR ts AS ts, PRIMARY KEY (currency) NOT ENFORCED
) WITH ('connector' = 'rows', 'format' = 'debezium-json');
CREATE TABLE orders (id INT, currency STRING, ts TIMESTAMP_LTZ(3), WATERMARK FOR ts AS ts) WITH ('connector' = 'rows');

-- input rates
{"before":null,"after":{"currency":"EUR","rate":10},"op":"c","source":{"ts_ms":1767225600000}}
{"before":{"currency":"EUR","rate":10},"after":{"currency":"EUR","rate":20},"op":"u","source":{"ts_ms":1767225602000}}
{"before":{"currency":"EUR","rate":20},"after":null,"op":"d","source":{"ts_ms":1767225604000}}
{"before":null,"after":{"currency":"USD","rate":1},"op":"c","source":{"ts_ms":1767225609000}}

-- input orders
{"id":1,"currency":"EUR","ts":"2026-01-01T00:00:01Z"}
{"id":2,"currency":"EUR","ts":"2026-01-01T00:00:03Z"}
{"id":3,"currency":"EUR","ts":"2026-01-01T00:00:05Z"}
{"id":4,"currency":"USD","ts":"2026-01-01T00:00:10Z"}

SELECT o.id, r.rate FROM orders AS o LEFT JOIN rates FOR SYSTEM_TIME AS OF o.ts AS r ON o.currency = r.currency;

-- expect
{"id":1,"rate":10}
{"id":2,"rate":20}
{"id":3,"rate":null}
{"id":4,"rate":1}
