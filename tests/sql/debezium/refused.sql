-- What can't become rows is refused by message; the rest goes on.
CREATE TABLE t (id INT, v INT) WITH ('connector' = 'rows', 'format' = 'debezium-json');

-- input t
{"before":null,"after":{"id":1,"v":1},"op":"c"}
{"before":null,"after":{"id":1,"v":2},"op":"u"}
{"before":null,"after":null,"op":"d"}
{"before":null,"after":null,"op":"t"}
{"before":null,"after":{"id":2,"v":1},"op":"x"}
{"id":1,"v":2}
{"schema":{},"payload":{"before":null,"after":{"id":1,"v":1},"op":"c"}}
{"before":{"id":1,"v":1},"after":{"id":1,"v":"much"},"op":"u"}
{"before":{"id":1,"v":1},"after":{"id":1,"v":3},"op":"u"}

SELECT id, SUM(v) AS s FROM t GROUP BY id;

-- expect
{"id":1,"s":3}
-- rejected missing_field 5
-- rejected malformed 1
-- rejected wrong_type 1
