-- Views only.
CREATE TABLE ant (a INT) WITH ('connector' = 'rows');
CREATE VIEW middle AS SELECT a FROM ant;
SHOW VIEWS;

-- expect
{"view name":"middle"}
