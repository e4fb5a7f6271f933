-- The changes themselves: an update is the row from before and the row from after, and each passes a filter alone.
CREATE TABLE t (id INT, v INT) WITH ('connector' = 'rows', 'format' = 'debezium-json');

-- input t
{"before":null,"after":{"id":1,"v":5},"op":"c"}
{"before":{"id":1,"v":5},"after":{"id":1,"v":50},"op":"u"}
{"before":null,"after":{"id":2,"v":7},"op":"r"}
{"before":{"id":1,"v":50},"after":{"id":1,"v":6},"op":"u"}
{"before":{"id":2,"v":7},"after":null,"op":"d"}

SELECT id, v + 1 AS w FROM t WHERE v < 10;

-- expect changelog
+I {"id":1,"w":6}
-U {"id":1,"w":6}
+I {"id":2,"w":8}
+U {"id":1,"w":7}
-D {"id":2,"w":8}
-- only plain, rows, restart: lanes spread rows without a key
