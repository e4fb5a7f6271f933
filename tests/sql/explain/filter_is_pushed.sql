-- EXPLAIN: the plan of a query; constants are folded, only columns in use are read.
CREATE TABLE t (a INT, s STRING) WITH ('connector' = 'rows');
EXPLAIN SELECT UPPER(s) AS u FROM t WHERE a > 1 + 1;

-- expect
{"text":"Project[query] [UPPER(s) AS u]"}
{"text":"  Filter[query] a > 2"}
{"text":"    Scan[t] table=t columns=[a, s]"}
