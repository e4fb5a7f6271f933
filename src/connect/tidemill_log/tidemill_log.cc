#include "connect/tidemill_log/tidemill_log.h"

#include "connect/errors.h"
#include "connect/tidemill_log/log_options.h"
#include "connect/tidemill_log/log_sink.h"
#include "connect/tidemill_log/log_source.h"
#include "log/log.h"

namespace tidemill {
namespace {

Status ValidateLogTable(const TableDefinition& table, bool as_source, bool as_sink, const ConnectorContext& context) {
  TM_ASSIGN_OR_RETURN(const LogTableOptions options, ParseLogTableOptions(table));
  if (as_sink && options.topics.size() != 1) return OptionError(table, "topic", "a sink writes to one topic");
  if (as_source && context.log != nullptr && !options.auto_create) {
    const std::vector<std::string> existing = context.log->ListTopics();
    for (const std::string& topic : options.topics) {
      if (std::find(existing.begin(), existing.end(), topic) != existing.end()) continue;
      Status status(kUnknownTopic, "topic '" + topic + "' does not exist");
      const std::string nearest = NearestName(topic, existing);
      if (!nearest.empty()) status = status.WithHint("did you mean '" + nearest + "'?");
      const auto place = table.option_positions.find("topic");
      return status.At(place != table.option_positions.end() ? place->second : table.position);
    }
  }
  return Status::OK();
}

bool IsBounded(const TableDefinition& table) {
  const std::string mode = table.options.GetString("scan.bounded.mode", "unbounded");
  return mode != "unbounded";
}

Result<std::unique_ptr<Source>> OpenLogSource(const ScanSpec& scan, const ConnectorContext& context) {
  if (context.log == nullptr)
    return Status(kInvalidConfig, "table '" + scan.table->name + "' needs the embedded log, which is not open");
  return MakeLogSource(scan, context);
}

Result<std::unique_ptr<Sink>> OpenLogSink(const SinkSpec& sink, const ConnectorContext& context) {
  if (context.log == nullptr)
    return Status(kInvalidConfig, "table '" + sink.table->name + "' needs the embedded log, which is not open");
  return MakeLogSink(sink, context);
}

}  // namespace

Connector TidemillLogConnector() {
  Connector connector;
  connector.name = "tidemill-log";
  connector.summary = "Topics of the embedded log";
  connector.is_source = true;
  connector.is_sink = true;
  connector.takes_format = true;
  connector.options = {
      {"topic", true, "", "topic name; a source may read several: 'a;b'"},
      {"topic.auto-create", false, "", "create a missing topic (default: false for a source, true for a sink)"},
      {"topic.partitions", false, "1", "partitions of a topic that is created"},
      {"properties.group.id", false, "<job>-<table>",
       "consumer group under which positions are committed with each epoch"},
      {"scan.startup.mode", false, "group-offsets",
       "earliest-offset, latest-offset, group-offsets (else earliest), timestamp"},
      {"scan.startup.timestamp-millis", false, "", "where 'timestamp' starts, milliseconds since 1970"},
      {"scan.bounded.mode", false, "unbounded", "unbounded, latest-offset (what is there when the job starts)"},
      {"key.fields", false, "", "columns of the record key, separated by ';' (default: the primary key)"},
      {"key.format", false, "csv", "format of the record key: csv, json"},
      {"sink.delivery-guarantee", false, "exactly-once",
       "exactly-once (visible with the epoch) or at-least-once (visible at once)"},
  };
  connector.metadata = {
      {"topic", DataType(TypeKind::kString, false), false},
      {"partition", DataType(TypeKind::kInt, false), false},
      {"offset", DataType(TypeKind::kBigInt, false), false},
      {"timestamp", DataType::TimestampLtz(3, false), false},
  };
  connector.validate = &ValidateLogTable;
  connector.is_bounded = &IsBounded;
  connector.make_source = &OpenLogSource;
  connector.make_sink = &OpenLogSink;
  return connector;
}

}  // namespace tidemill
