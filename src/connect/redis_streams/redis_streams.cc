#include "connect/redis_streams/redis_streams.h"

#include "connect/errors.h"
#include "connect/redis_streams/redis_options.h"
#include "connect/redis_streams/redis_rows.h"
#include "connect/redis_streams/redis_sink.h"
#include "connect/redis_streams/redis_source.h"

namespace tidemill {
namespace {

Status ValidateRedisTable(const TableDefinition& table, bool, bool as_sink, const ConnectorContext&) {
  TM_ASSIGN_OR_RETURN(const RedisTableOptions options, ParseRedisTableOptions(table));
  if (as_sink && options.bounded())
    return OptionError(table, "scan.bounded.mode", "it means nothing for a table that is written to");
  return Status::OK();
}

bool IsRedisBounded(const TableDefinition& table) {
  return table.options.GetString("scan.bounded.mode", "unbounded") != "unbounded";
}

Result<std::unique_ptr<Source>> MakeRedisSourceOf(const ScanSpec& scan, const ConnectorContext& context) {
  TableDefinition table = *scan.table;
  table.options = scan.options;  // with OPTIONS hints
  TM_ASSIGN_OR_RETURN(RedisTableOptions options, ParseRedisTableOptions(table));
  return MakeRedisSource(scan, std::move(options), context);
}

Result<std::unique_ptr<Sink>> MakeRedisSinkOf(const SinkSpec& sink, const ConnectorContext& context) {
  TM_ASSIGN_OR_RETURN(RedisTableOptions options, ParseRedisTableOptions(*sink.table));
  return MakeRedisSink(sink, std::move(options), context);
}

}  // namespace

Connector RedisStreamsConnector() {
  Connector connector;
  connector.name = "redis-streams";
  connector.summary = "Streams of Redis";
  connector.is_source = true;
  connector.is_sink = true;
  connector.takes_format = true;
  connector.options = {
      {"url", true, "", "redis://host[:port][/database], rediss:// for TLS; may hold ${env:NAME} or ${file:PATH}"},
      {"username", false, "", "an ACL user; may hold ${env:NAME} or ${file:PATH}"},
      {"password", false, "", "its password, or that of the server; may hold ${env:NAME} or ${file:PATH}"},
      {"tls.ca", false, "", "certificates in PEM that are trusted instead of the system's: ${file:PATH}"},
      {"tls.certificate", false, "", "our certificate in PEM: ${file:PATH}"},
      {"tls.key", false, "", "its key in PEM: ${file:PATH}"},
      {"timeout", false, "10 s", "of one answer, and of connecting"},
      {"stream", true, "", "keys of streams: 'a;b', 'a:{0..3}' for a:0 to a:3; each is a partition"},
      {"value.field", false, "value", "with a format: the field of an entry that holds the record"},
      {"scan.startup.mode", false, "earliest-offset", "earliest-offset, latest-offset, timestamp, specific-offsets"},
      {"scan.startup.timestamp-millis", false, "", "where 'timestamp' starts, milliseconds since 1970"},
      {"scan.startup.specific-offsets", false, "",
       "the first id that is read, or 'stream:a,offset:1-0;stream:b,offset:2-0'"},
      {"scan.bounded.mode", false, "unbounded", "unbounded, latest-offset, timestamp, specific-offsets"},
      {"scan.bounded.timestamp-millis", false, "", "where 'timestamp' ends, milliseconds since 1970"},
      {"scan.bounded.specific-offsets", false, "", "the first id that is not read, written as above"},
      {"scan.read.count", false, "1000", "entries that are asked for at a time"},
      {"auto.offset.reset", false, "none",
       "if entries to be read next are gone: none (the job stops), earliest, latest"},
      {"sink.maxlen", false, "", "streams are trimmed to about so many entries when they are written to"},
      {"sink.maxlen.approximate", false, "true", "false: to exactly so many, which costs more"},
      {"sink.partitioner", false, "default",
       "of several streams: default (by the PRIMARY KEY, else in turn), fixed, round-robin"},
      {"sink.delivery-guarantee", false, "at-least-once", "at-least-once, none"},
      {"sink.parallelism", false, "", "taken; sinks run at the job's parallelism"},
  };
  connector.metadata = RedisMetadataColumns();
  connector.validate = &ValidateRedisTable;
  connector.is_bounded = &IsRedisBounded;
  connector.make_source = &MakeRedisSourceOf;
  connector.make_sink = &MakeRedisSinkOf;
  return connector;
}

}  // namespace tidemill
