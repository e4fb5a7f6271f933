-- A SELECT without a table gives one row.
SELECT 1 + 1 AS two, 'tide' || 'mill' AS s, CAST(NULL AS INT) AS n;
-- duckdb: SELECT 1 + 1 AS two, 'tide' || 'mill' AS s, CAST(NULL AS INT) AS n

-- expect
{"two":2,"s":"tidemill","n":null}
