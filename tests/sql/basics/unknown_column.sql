CREATE TABLE t (id BIGINT, amount DOUBLE) WITH ('connector' = 'rows');
SELECT id, amout FROM t;
-- error TM2104 2:12 column 'amout'
