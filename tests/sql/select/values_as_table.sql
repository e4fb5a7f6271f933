-- VALUES with names for its columns.
SELECT n * 10 AS n10, s FROM (VALUES (1, 'a'), (2, 'b'), (NULL, 'c')) AS v (n, s) WHERE s <> 'b';
-- duckdb: SELECT n * 10 AS n10, s FROM (VALUES (1, 'a'), (2, 'b'), (NULL, 'c')) AS v (n, s) WHERE s <> 'b'

-- expect
{"n10":10,"s":"a"}
{"n10":null,"s":"c"}
