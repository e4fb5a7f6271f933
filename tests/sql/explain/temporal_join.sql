-- A temporal join's two sides.
CREATE TABLE t (id INT, k STRING, ts TIMESTAMP(3), WATERMARK FOR ts AS ts) WITH ('connector' = 'rows');
CREATE TABLE p (k STRING, name STRING, from_ts TIMESTAMP(3), PRIMARY KEY (k) NOT ENFORCED, WATERMARK FOR from_ts AS from_ts) WITH ('connector' = 'rows');
EXPLAIN SELECT t.id, p.name FROM t LEFT JOIN p FOR SYSTEM_TIME AS OF t.ts AS p ON t.k = p.k;

-- expect
{"text":"Project[query] [id, name]"}
{"text":"  TemporalJoin[query] left on=k = k left-time=ts right-time=from_ts"}
{"text":"    Scan[t] table=t columns=[id, k, ts] watermark=ts"}
{"text":"    Scan[p] table=p columns=[k, name, from_ts] watermark=from_ts"}
