#include "connect/tidemill_log/log_options.h"

#include "base/file_system.h"
#include "connect/connector.h"
#include "connect/errors.h"
#include "log/log.h"

namespace tidemill {
namespace {

std::vector<std::string> SplitList(const std::string& text) {
  std::vector<std::string> parts;
  size_t start = 0;
  while (start <= text.size()) {
    const size_t end = std::min(text.find(';', start), text.size());
    if (end > start) parts.push_back(text.substr(start, end - start));
    start = end + 1;
  }
  return parts;
}

Status ParseScan(const TableDefinition& table, LogTableOptions* options) {
  const std::string mode = table.options.GetString("scan.startup.mode", "group-offsets");
  if (mode == "earliest-offset") {
    options->startup = LogTableOptions::Startup::kEarliest;
  } else if (mode == "latest-offset") {
    options->startup = LogTableOptions::Startup::kLatest;
  } else if (mode == "group-offsets") {
    options->startup = LogTableOptions::Startup::kGroupOffsets;
  } else if (mode == "timestamp") {
    options->startup = LogTableOptions::Startup::kTimestamp;
    if (!table.options.Has("scan.startup.timestamp-millis")) {
      return OptionError(table, "scan.startup.mode", "'timestamp' needs option 'scan.startup.timestamp-millis'");
    }
  } else {
    return OptionError(table, "scan.startup.mode",
                       "'" + mode + "' is not one of earliest-offset, latest-offset, group-offsets, timestamp");
  }
  const Result<int64_t> timestamp = table.options.GetInt("scan.startup.timestamp-millis", 0);
  if (!timestamp.ok()) return OptionError(table, "scan.startup.timestamp-millis", timestamp.status().message());
  options->startup_timestamp_ms = *timestamp;
  const std::string bounded = table.options.GetString("scan.bounded.mode", "unbounded");
  if (bounded != "unbounded" && bounded != "latest-offset") {
    return OptionError(table, "scan.bounded.mode", "'" + bounded + "' is not one of unbounded, latest-offset");
  }
  options->bounded = bounded == "latest-offset";
  return Status::OK();
}

Status ParseKey(const TableDefinition& table, LogTableOptions* options) {
  options->key_format = table.options.GetString("key.format", "csv");
  if (options->key_format != "csv" && options->key_format != "json") {
    return OptionError(table, "key.format", "'" + options->key_format + "' is not one of csv, json");
  }
  if (!table.options.Has("key.fields")) {
    options->key_columns = table.primary_key;
    return Status::OK();
  }
  for (const std::string& name : SplitList(*table.options.Get("key.fields"))) {
    int found = -1;
    for (int i = 0; i < static_cast<int>(table.columns.size()); ++i) {
      if (table.columns[i].name == name && table.columns[i].kind == ColumnDefinition::Kind::kPhysical) found = i;
    }
    if (found < 0)
      return OptionError(table, "key.fields", "'" + name + "' is not a physical column of '" + table.name + "'");
    options->key_columns.push_back(found);
  }
  return Status::OK();
}

}  // namespace

Result<LogTableOptions> ParseLogTableOptions(const TableDefinition& table) {
  LogTableOptions options;
  options.topics = SplitList(table.options.GetString("topic", ""));
  if (options.topics.empty()) return OptionError(table, "topic", "'topic' is empty");
  for (const std::string& topic : options.topics) {
    if (!IsSafeName(topic))
      return OptionError(table, "topic", "'" + topic + "' is not a topic name: [A-Za-z0-9._-]{1,128}");
  }
  const Result<bool> create = table.options.GetBool("topic.auto-create", false);
  if (!create.ok()) return OptionError(table, "topic.auto-create", create.status().message());
  options.auto_create = *create;
  options.auto_create_sink = !table.options.Has("topic.auto-create") || *create;
  const Result<int64_t> partitions = table.options.GetInt("topic.partitions", 1);
  if (!partitions.ok()) return OptionError(table, "topic.partitions", partitions.status().message());
  if (*partitions < 1 || *partitions > 1024) return OptionError(table, "topic.partitions", "must be 1 to 1024");
  options.partitions = static_cast<int32_t>(*partitions);
  options.group_id = table.options.GetString("properties.group.id", "");
  TM_RETURN_IF_ERROR(ParseScan(table, &options));
  TM_RETURN_IF_ERROR(ParseKey(table, &options));
  const std::string delivery = table.options.GetString("sink.delivery-guarantee", "exactly-once");
  if (delivery != "exactly-once" && delivery != "at-least-once") {
    return OptionError(table, "sink.delivery-guarantee",
                       "'" + delivery + "' is not one of exactly-once, at-least-once");
  }
  options.exactly_once = delivery == "exactly-once";
  options.format = table.options.GetString("format", table.options.GetString("value.format", "json"));
  if (options.format == "parquet")
    return OptionError(
        table, "format",
        "'parquet' is a file format; see docs/schema-registry.md and docs/kafka.md for those of records");
  for (const std::string& prefix : {options.format + ".", "value." + options.format + "."}) {
    for (const auto& [key, value] : table.options.values()) {
      if (key.starts_with(prefix)) options.format_options.Set(key.substr(prefix.size()), value);
    }
  }
  return options;
}

Status EnsureTopic(Log& log, const std::string& topic, int32_t partitions) {
  TopicConfig config;
  config.partitions = partitions;
  const Status status = log.CreateTopic(topic, config);
  return status.Is(kTopicExists) ? Status::OK() : status;
}

}  // namespace tidemill
