-- SHOW CREATE is not there yet, and says so.
CREATE TABLE t (a INT) WITH ('connector' = 'rows');
SHOW CREATE TABLE t;
-- error TM2003 3:6 SHOW CREATE
