-- Tables and views by name.
CREATE TABLE zebra (a INT) WITH ('connector' = 'rows');
CREATE TABLE ant (a INT) WITH ('connector' = 'rows');
CREATE VIEW middle AS SELECT a FROM ant;
SHOW TABLES;

-- expect
{"table name":"ant"}
{"table name":"middle"}
{"table name":"zebra"}
