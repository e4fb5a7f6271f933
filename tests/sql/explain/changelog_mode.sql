-- Which kinds of change each node gives.
CREATE TABLE t (k STRING, v INT, ts TIMESTAMP(3), WATERMARK FOR ts AS ts - INTERVAL '5' SECOND) WITH ('connector' = 'rows');
EXPLAIN CHANGELOG_MODE SELECT k, COUNT(*) AS n FROM t GROUP BY k;

-- expect
{"text":"GroupAggregate[query] keys=[k] calls=[COUNT(*) AS n] changelog=retract"}
{"text":"  Scan[t] table=t columns=[k] watermark=ts - INTERVAL '5' SECOND"}
