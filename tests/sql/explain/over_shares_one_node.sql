-- Three frames of one partition are one node.
CREATE TABLE t (k STRING, v INT, ts TIMESTAMP(3), WATERMARK FOR ts AS ts - INTERVAL '5' SECOND) WITH ('connector' = 'rows');
EXPLAIN SELECT SUM(v) OVER (PARTITION BY k ORDER BY ts RANGE BETWEEN INTERVAL '1' MINUTE PRECEDING AND CURRENT ROW) AS s,
  COUNT(*) OVER (PARTITION BY k ORDER BY ts RANGE BETWEEN INTERVAL '1' HOUR PRECEDING AND CURRENT ROW) AS n,
  LAG(v) OVER (PARTITION BY k ORDER BY ts) AS before FROM t;

-- expect
{"text":"Project[query] [s, n, before]"}
{"text":"  Over[query] partition=[k] order=ts emit=on-watermark calls=[SUM(v) RANGE 1 min AS s, COUNT(*) RANGE 1 h AS n, LAG(v) RANGE UNBOUNDED AS before]"}
{"text":"    Scan[t] table=t columns=[k, v, ts] watermark=ts - INTERVAL '5' SECOND"}
