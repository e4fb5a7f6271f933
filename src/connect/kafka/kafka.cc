#include "connect/kafka/kafka.h"

#include <algorithm>

#include "connect/errors.h"
#include "connect/kafka/kafka_columns.h"
#include "connect/kafka/kafka_options.h"
#include "connect/kafka/kafka_sink.h"
#include "connect/kafka/kafka_source.h"

namespace tidemill {
namespace {

Status CheckMetadata(const TableDefinition& table) {
  for (const ColumnDefinition& column : table.columns) {
    if (column.kind == ColumnDefinition::Kind::kMetadata && !column.metadata_key.starts_with("value.") &&
        KafkaMetadataOf(column.metadata_key) == KafkaMetadata::kLeaderEpoch) {
      return Status(kInvalidOption,
                    "metadata 'leader-epoch' (column '" + column.name + "') needs librdkafka 2.1; this program has 2.0")
          .At(table.position);
    }
  }
  return Status::OK();
}

Status CheckSource(const TableDefinition& table, const KafkaTableOptions& options) {
  if (!options.upsert) return Status::OK();
  for (size_t i = 0; i < table.columns.size(); ++i) {
    const ColumnDefinition& column = table.columns[i];
    const bool in_key =
        std::find(table.primary_key.begin(), table.primary_key.end(), static_cast<int>(i)) != table.primary_key.end();
    if (column.kind == ColumnDefinition::Kind::kPhysical && !in_key && !column.type.nullable()) {
      return Status(kInvalidOption,
                    "column '" + column.name + "' can't be NOT NULL: a deletion in the topic has nothing but the key")
          .At(table.position);
    }
  }
  return Status::OK();
}

Status CheckSink(const TableDefinition& table, const KafkaTableOptions& options) {
  if (!options.topic_pattern.empty())
    return OptionError(table, "topic-pattern", "a sink writes to topics that are named: use 'topic'");
  const bool chooses = std::any_of(table.columns.begin(), table.columns.end(), [](const ColumnDefinition& column) {
    return column.kind == ColumnDefinition::Kind::kMetadata && !column.is_virtual && column.metadata_key == "topic";
  });
  if (options.topics.size() != 1 && !chooses) {
    return OptionError(table, "topic",
                       "a sink with several topics needs a column that says which: 'to STRING METADATA FROM 'topic''");
  }
  return Status::OK();
}

template <bool kUpsert>
Status ValidateKafkaTable(const TableDefinition& table, bool as_source, bool as_sink, const ConnectorContext&) {
  TM_ASSIGN_OR_RETURN(const KafkaTableOptions options, ParseKafkaTableOptions(table, kUpsert));
  TM_RETURN_IF_ERROR(CheckMetadata(table));
  if (as_source) TM_RETURN_IF_ERROR(CheckSource(table, options));
  return as_sink ? CheckSink(table, options) : Status::OK();
}

bool IsKafkaBounded(const TableDefinition& table) {
  return table.options.GetString("scan.bounded.mode", "unbounded") != "unbounded";
}

template <bool kUpsert>
Result<std::unique_ptr<Source>> MakeSourceOf(const ScanSpec& scan, const ConnectorContext& context) {
  TableDefinition table = *scan.table;
  table.options = scan.options;  // with OPTIONS hints
  TM_ASSIGN_OR_RETURN(KafkaTableOptions options, ParseKafkaTableOptions(table, kUpsert));
  return MakeKafkaSource(scan, std::move(options), context);
}

template <bool kUpsert>
Result<std::unique_ptr<Sink>> MakeSinkOf(const SinkSpec& sink, const ConnectorContext& context) {
  TM_ASSIGN_OR_RETURN(KafkaTableOptions options, ParseKafkaTableOptions(*sink.table, kUpsert));
  return MakeKafkaSink(sink, std::move(options), context);
}

// Options of both connectors.
std::vector<ConnectorOption> CommonOptions() {
  return {
      {"properties.bootstrap.servers", true, "", "brokers, 'host:port,host:port'"},
      {"properties.*", false, "",
       "a property of Kafka's clients, by its Java or librdkafka name; may hold ${env:NAME} or ${file:PATH}"},
      {"properties.group.id", false, "KafkaSource-<table>", "group under which positions are committed"},
      {"topic", false, "", "topic; several as 'a;b'"},
      {"key.json.*", false, "", "an option of the key's format"},
      {"key.csv.*", false, "", "an option of the key's format"},
      {"key.raw.*", false, "", "an option of the key's format"},
      {"key.avro.*", false, "", "an option of the key's format"},
      {"key.avro-confluent.*", false, "", "an option of the key's format"},
      {"key.protobuf.*", false, "", "an option of the key's format"},
      {"key.protobuf-confluent.*", false, "", "an option of the key's format"},
      {"key.json-schema-confluent.*", false, "", "an option of the key's format"},
      {"key.fields-prefix", false, "", "what the key's columns begin with in the table, but not in the records"},
      {"value.fields-include", false, "ALL", "ALL: the value has the key's columns too; EXCEPT_KEY: it has not"},
      {"scan.bounded.mode", false, "unbounded", "unbounded, latest-offset, group-offsets, timestamp, specific-offsets"},
      {"scan.bounded.timestamp-millis", false, "", "where 'timestamp' ends, milliseconds since 1970"},
      {"scan.bounded.specific-offsets", false, "", "'partition:0,offset:42;partition:1,offset:300'"},
      {"scan.topic-partition-discovery.interval", false, "5 min", "how often new partitions are looked for; 0 = never"},
      {"scan.parallelism", false, "", "taken; sources run at the job's parallelism"},
      {"sink.parallelism", false, "", "taken; sinks run at the job's parallelism"},
      {"sink.partitioner", false, "default", "default (by the key, as Java does it), fixed, round-robin"},
      {"sink.delivery-guarantee", false, "at-least-once", "at-least-once, none"},
      {"sink.transactional-id-prefix", false, "", "belongs to exactly-once, which comes later"},
  };
}

}  // namespace

Connector KafkaConnector() {
  Connector connector;
  connector.name = "kafka";
  connector.summary = "Topics of Apache Kafka and what speaks its protocol";
  connector.is_source = true;
  connector.is_sink = true;
  connector.takes_format = true;
  connector.options = CommonOptions();
  const std::vector<ConnectorOption> own = {
      {"topic-pattern", false, "", "or: every topic whose whole name fits this regular expression"},
      {"key.format", false, "", "format of the record key (with a PRIMARY KEY: csv)"},
      {"key.fields", false, "", "columns of the record key, separated by ';' (default: the primary key)"},
      {"scan.startup.mode", false, "group-offsets",
       "earliest-offset, latest-offset, group-offsets (else earliest), timestamp, specific-offsets"},
      {"scan.startup.timestamp-millis", false, "", "where 'timestamp' starts, milliseconds since 1970"},
      {"scan.startup.specific-offsets", false, "", "'partition:0,offset:42;partition:1,offset:300'"},
  };
  connector.options.insert(connector.options.end(), own.begin(), own.end());
  connector.metadata = KafkaMetadataColumns();
  connector.validate = &ValidateKafkaTable<false>;
  connector.is_bounded = &IsKafkaBounded;
  connector.make_source = &MakeSourceOf<false>;
  connector.make_sink = &MakeSinkOf<false>;
  return connector;
}

Connector UpsertKafkaConnector() {
  Connector connector;
  connector.name = "upsert-kafka";
  connector.summary = "A topic as a table: the last record of each key counts";
  connector.is_source = true;
  connector.is_sink = true;
  connector.takes_format = true;
  connector.gives_upserts = true;
  connector.options = CommonOptions();
  const std::vector<ConnectorOption> own = {
      {"key.format", true, "", "format of the record key, which holds the PRIMARY KEY"},
      {"sink.buffer-flush.max-rows", false, "0", "changes of a key are merged until there are so many rows; 0 = off"},
      {"sink.buffer-flush.interval", false, "0 ms", "and at most for this long; both are set together"},
  };
  connector.options.insert(connector.options.end(), own.begin(), own.end());
  connector.metadata = KafkaMetadataColumns();
  connector.validate = &ValidateKafkaTable<true>;
  connector.is_bounded = &IsKafkaBounded;
  connector.make_source = &MakeSourceOf<true>;
  connector.make_sink = &MakeSinkOf<true>;
  return connector;
}

}  // namespace tidemill
