#include "connect/kinesis/kinesis.h"

#include "connect/kinesis/kinesis_options.h"
#include "connect/kinesis/kinesis_sink.h"
#include "connect/kinesis/kinesis_source.h"

namespace tidemill {
namespace {

Status ValidateKinesisTable(const TableDefinition& table, bool, bool, const ConnectorContext&) {
  return ParseKinesisTableOptions(table).status();
}

Result<std::unique_ptr<Source>> MakeKinesisSourceOf(const ScanSpec& scan, const ConnectorContext& context) {
  TableDefinition table = *scan.table;
  table.options = scan.options;  // with OPTIONS hints
  TM_ASSIGN_OR_RETURN(KinesisTableOptions options, ParseKinesisTableOptions(table));
  return MakeKinesisSource(scan, std::move(options), context);
}

Result<std::unique_ptr<Sink>> MakeKinesisSinkOf(const SinkSpec& sink, const ConnectorContext& context) {
  TM_ASSIGN_OR_RETURN(KinesisTableOptions options, ParseKinesisTableOptions(*sink.table));
  return MakeKinesisSink(sink, std::move(options), context);
}

}  // namespace

Connector KinesisConnector() {
  Connector connector;
  connector.name = "kinesis";
  connector.summary = "Streams of Amazon Kinesis";
  connector.is_source = true;
  connector.is_sink = true;
  connector.takes_format = true;
  connector.options = {
      {"stream.arn", false, "", "the stream: arn:aws:kinesis:<region>:<account>:stream/<name>"},
      {"stream", false, "", "or its name, with 'aws.region'"},
      {"aws.region", false, "", "such as us-east-1"},
      {"aws.endpoint", false, "https://kinesis.<region>.amazonaws.com", "another address of the service"},
      {"allow-addresses", false, "", "of 'aws.endpoint': hosts, addresses or CIDR blocks beyond public ones"},
      {"aws.credentials.provider", false, "AUTO", "AUTO (the options, else the environment), BASIC, ENV_VAR"},
      {"aws.credentials.basic.accesskeyid", false, "", "may hold ${env:NAME} or ${file:PATH}"},
      {"aws.credentials.basic.secretkey", false, "", "may hold ${env:NAME} or ${file:PATH}"},
      {"aws.credentials.basic.sessiontoken", false, "", "of temporary credentials"},
      {"timeout", false, "30 s", "of one call"},
      {"source.init.position", false, "LATEST", "LATEST, TRIM_HORIZON, AT_TIMESTAMP"},
      {"source.init.timestamp", false, "", "where AT_TIMESTAMP starts: '2026-01-31T12:00:00Z', or seconds since 1970"},
      {"source.shard.discovery.interval", false, "10 s", "how often new shards are looked for"},
      {"source.shard.get-records.max-record-count", false, "10000", "records asked for at a time"},
      {"source.shard.get-records.interval", false, "200 ms", "between reads of a shard; it takes five a second in all"},
      {"source.reader.type", false, "POLLING", "POLLING"},
      {"scan.stream.initpos", false, "", "older name of 'source.init.position'"},
      {"scan.stream.initpos-timestamp", false, "", "older name of 'source.init.timestamp'"},
      {"scan.shard.discovery.intervalmillis", false, "", "older name of 'source.shard.discovery.interval'"},
      {"scan.shard.getrecords.maxrecordcount", false, "", "older name of 'source.shard.get-records.max-record-count'"},
      {"scan.shard.getrecords.intervalmillis", false, "", "older name of 'source.shard.get-records.interval'"},
      {"sink.partitioner", false, "random", "without PARTITIONED BY or PRIMARY KEY: random, fixed (each lane one)"},
      {"sink.partitioner-field-delimiter", false, "|", "between the columns of a partition key"},
      {"sink.batch.max-size", false, "500", "records a call, 1 to 500"},
      {"sink.requests.max-inflight", false, "", "taken; each lane has one call in flight, for the order"},
      {"sink.parallelism", false, "", "taken; sinks run at the job's parallelism"},
  };
  connector.metadata = KinesisMetadataColumns();
  connector.validate = &ValidateKinesisTable;
  connector.make_source = &MakeKinesisSourceOf;
  connector.make_sink = &MakeKinesisSinkOf;
  return connector;
}

}  // namespace tidemill
