-- What the envelope tells beside the row.
CREATE TABLE t (
  id INT,
  ingested TIMESTAMP_LTZ(3) METADATA FROM 'value.ingestion-timestamp' VIRTUAL,
  at TIMESTAMP_LTZ(3) METADATA FROM 'value.source.timestamp' VIRTUAL,
  db STRING METADATA FROM 'value.source.database' VIRTUAL,
  sch STRING METADATA FROM 'value.source.schema' VIRTUAL,
  tbl STRING METADATA FROM 'value.source.table' VIRTUAL,
  props MAP<STRING NOT NULL, STRING> METADATA FROM 'value.source.properties' VIRTUAL,
  described STRING METADATA FROM 'value.schema' VIRTUAL
) WITH ('connector' = 'rows', 'format' = 'debezium-json');

-- input t
{"before":null,"after":{"id":1},"op":"c","ts_ms":1767225600123,"source":{"ts_ms":1767225600001,"db":"shop","schema":"public","table":"orders","lsn":24,"snapshot":null}}
{"after":{"id":2},"op":"r","source":null,"ts_ms":1767225601000}
{"before":null,"after":{"id":3},"op":"c"}

SELECT id, ingested, at, db, sch, tbl, props['lsn'] AS lsn, described FROM t;

-- expect
{"id":1,"ingested":"2026-01-01 00:00:00.123Z","at":"2026-01-01 00:00:00.001Z","db":"shop","sch":"public","tbl":"orders","lsn":"24","described":null}
{"id":2,"ingested":"2026-01-01 00:00:01Z","at":null,"db":null,"sch":null,"tbl":null,"lsn":null,"described":null}
{"id":3,"ingested":null,"at":null,"db":null,"sch":null,"tbl":null,"lsn":null,"described":null}
