#include "connect/kafka/kafka_options.h"

#include <algorithm>
#include <charconv>

#include <re2/re2.h>

#include "connect/connector.h"
#include "connect/errors.h"
#include "connect/schema_registry/open_schema_source.h"
#include "data/format.h"

namespace tidemill {
namespace {

constexpr size_t kTopicNameMax = 249;  // Kafka's

std::vector<std::string> SplitAt(const std::string& text, char separator) {
  std::vector<std::string> parts;
  size_t start = 0;
  while (start <= text.size()) {
    const size_t end = std::min(text.find(separator, start), text.size());
    if (end > start) parts.push_back(text.substr(start, end - start));
    start = end + 1;
  }
  return parts;
}

bool IsTopicName(const std::string& name) {
  if (name.empty() || name.size() > kTopicNameMax || name == "." || name == "..") return false;
  return std::all_of(name.begin(), name.end(),
                     [](unsigned char c) { return (c < 0x80 && std::isalnum(c)) || c == '.' || c == '_' || c == '-'; });
}

bool ParseNumber(std::string_view text, int64_t* out) {
  const auto [rest, error] = std::from_chars(text.data(), text.data() + text.size(), *out);
  return error == std::errc() && rest == text.data() + text.size();
}

Status ParseTopics(const TableDefinition& table, KafkaTableOptions* options) {
  const bool list = table.options.Has("topic");
  const bool pattern = table.options.Has("topic-pattern");
  if (list && pattern) return OptionError(table, "topic-pattern", "'topic' and 'topic-pattern' exclude each other");
  if (!list && !pattern) {
    return Status(kMissingOption, options->upsert ? "connector 'upsert-kafka' needs option 'topic'"
                                                  : "connector 'kafka' needs option 'topic' or 'topic-pattern'")
        .At(table.position);
  }
  if (pattern) {
    options->topic_pattern = *table.options.Get("topic-pattern");
    const re2::RE2 compiled(options->topic_pattern, re2::RE2::Quiet);
    if (!compiled.ok())
      return OptionError(table, "topic-pattern", "not a regular expression (RE2): " + compiled.error());
    return Status::OK();
  }
  options->topics = SplitAt(*table.options.Get("topic"), ';');
  if (options->topics.empty()) return OptionError(table, "topic", "'topic' is empty");
  for (const std::string& topic : options->topics) {
    if (!IsTopicName(topic))
      return OptionError(table, "topic", "'" + topic + "' is not a topic name: [A-Za-z0-9._-]{1,249}");
  }
  if (options->upsert && options->topics.size() != 1)
    return OptionError(table, "topic", "'upsert-kafka' has one topic");
  return Status::OK();
}

// "partition:0,offset:42;partition:1,offset:300"
Status ParseOffsets(const TableDefinition& table, const std::string& key, KafkaPlace* place) {
  const auto wrong = [&](const std::string& part) {
    return OptionError(table, key, "'" + part + "': expected 'partition:0,offset:42;partition:1,offset:300'");
  };
  for (const std::string& part : SplitAt(*table.options.Get(key), ';')) {
    const std::vector<std::string> pair = SplitAt(part, ',');
    int64_t partition = -1;
    int64_t offset = -1;
    if (pair.size() != 2 || !pair[0].starts_with("partition:") || !pair[1].starts_with("offset:") ||
        !ParseNumber(std::string_view(pair[0]).substr(10), &partition) ||
        !ParseNumber(std::string_view(pair[1]).substr(7), &offset) || partition < 0 || partition > INT32_MAX ||
        offset < 0) {
      return wrong(part);
    }
    place->offsets[static_cast<int32_t>(partition)] = offset;
  }
  return place->offsets.empty() ? wrong("") : Status::OK();
}

// `family`: "scan.startup" or "scan.bounded".
Status ParsePlace(const TableDefinition& table, const std::string& family, const KafkaTableOptions& options,
                  KafkaPlace* place) {
  const bool startup = family == "scan.startup";
  const std::string key = family + ".mode";
  const std::string mode = table.options.GetString(key, startup ? "group-offsets" : "unbounded");
  const std::string timestamp = family + ".timestamp-millis";
  const std::string specific = family + ".specific-offsets";
  if (mode == "group-offsets") {
    place->kind = KafkaPlace::Kind::kGroupOffsets;
  } else if (mode == "latest-offset") {
    place->kind = KafkaPlace::Kind::kLatest;
  } else if (startup && mode == "earliest-offset") {
    place->kind = KafkaPlace::Kind::kEarliest;
  } else if (!startup && mode == "unbounded") {
    place->kind = KafkaPlace::Kind::kNever;
  } else if (mode == "timestamp") {
    place->kind = KafkaPlace::Kind::kTimestamp;
    if (!table.options.Has(timestamp)) return OptionError(table, key, "'timestamp' needs option '" + timestamp + "'");
    const Result<int64_t> value = table.options.GetInt(timestamp, 0);
    if (!value.ok()) return OptionError(table, timestamp, value.status().message());
    if (*value < 0) return OptionError(table, timestamp, "milliseconds since 1970 are not negative");
    place->timestamp_ms = *value;
  } else if (mode == "specific-offsets") {
    place->kind = KafkaPlace::Kind::kSpecific;
    if (!table.options.Has(specific))
      return OptionError(table, key, "'specific-offsets' needs option '" + specific + "'");
    if (options.topics.size() != 1)
      return OptionError(table, key, "'specific-offsets' says partitions of one topic; the table has several");
    TM_RETURN_IF_ERROR(ParseOffsets(table, specific, place));
  } else {
    return OptionError(table, key,
                       "'" + mode + "' is not one of " +
                           (startup ? "earliest-offset, latest-offset, group-offsets, timestamp, specific-offsets"
                                    : "unbounded, latest-offset, group-offsets, timestamp, specific-offsets"));
  }
  if (place->kind != KafkaPlace::Kind::kTimestamp && table.options.Has(timestamp))
    return OptionError(table, timestamp, "it means something only with '" + key + "' = 'timestamp'");
  if (place->kind != KafkaPlace::Kind::kSpecific && table.options.Has(specific))
    return OptionError(table, specific, "it means something only with '" + key + "' = 'specific-offsets'");
  return Status::OK();
}

Status ParseScanOptions(const TableDefinition& table, KafkaTableOptions* options) {
  if (options->upsert) {
    options->start.kind = KafkaPlace::Kind::kEarliest;  // a table is all of its changes
  } else {
    TM_RETURN_IF_ERROR(ParsePlace(table, "scan.startup", *options, &options->start));
  }
  TM_RETURN_IF_ERROR(ParsePlace(table, "scan.bounded", *options, &options->end));
  const std::string discovery = "scan.topic-partition-discovery.interval";
  const Result<int64_t> interval = table.options.GetDurationMs(discovery, options->discovery_interval_ms);
  if (!interval.ok()) return OptionError(table, discovery, interval.status().message());
  if (*interval < 0) return OptionError(table, discovery, "it must not be negative; 0 turns discovery off");
  options->discovery_interval_ms = *interval;
  for (const char* key : {"scan.parallelism", "sink.parallelism"}) {
    const Result<int64_t> parallelism = table.options.GetInt(key, 1);
    if (!parallelism.ok()) return OptionError(table, key, parallelism.status().message());
    if (*parallelism < 1) return OptionError(table, key, "'" + std::string(key) + "' must be at least 1");
  }
  return Status::OK();
}

Status ParseKeyFields(const TableDefinition& table, KafkaTableOptions* options) {
  options->key_prefix = table.options.GetString("key.fields-prefix", "");
  if (options->upsert || !table.options.Has("key.fields")) {
    options->key_columns = table.primary_key;
  } else {
    for (const std::string& name : SplitAt(*table.options.Get("key.fields"), ';')) {
      const auto found = std::find_if(table.columns.begin(), table.columns.end(), [&](const ColumnDefinition& column) {
        return column.name == name && column.kind == ColumnDefinition::Kind::kPhysical;
      });
      if (found == table.columns.end()) {
        std::vector<std::string> names;
        for (const ColumnDefinition& column : table.columns) {
          if (column.kind == ColumnDefinition::Kind::kPhysical) names.push_back(column.name);
        }
        const std::string nearest = NearestName(name, names);
        const Status status =
            OptionError(table, "key.fields", "'" + name + "' is not a physical column of '" + table.name + "'");
        return nearest.empty() ? status : status.WithHint("did you mean '" + nearest + "'?");
      }
      options->key_columns.push_back(static_cast<int>(found - table.columns.begin()));
    }
  }
  for (int column : options->key_columns) {
    const std::string& name = table.columns[column].name;
    if (!name.starts_with(options->key_prefix) || name.size() == options->key_prefix.size()) {
      return OptionError(table, "key.fields-prefix",
                         "key column '" + name + "' does not begin with '" + options->key_prefix + "'");
    }
  }
  return Status::OK();
}

Status ParseKey(const TableDefinition& table, KafkaTableOptions* options) {
  const std::string include = table.options.GetString("value.fields-include", "ALL");
  if (include != "ALL" && include != "EXCEPT_KEY")
    return OptionError(table, "value.fields-include", "'" + include + "' is not one of ALL, EXCEPT_KEY");
  options->key_in_value = include == "ALL";
  if (options->key_in_value && table.options.Has("key.fields-prefix")) {
    return OptionError(table, "key.fields-prefix", "it needs 'value.fields-include' = 'EXCEPT_KEY'");
  }
  TM_RETURN_IF_ERROR(ParseKeyFields(table, options));
  options->key_format = table.options.GetString("key.format", "");
  if (options->key_format.empty()) {
    if (table.options.Has("key.fields")) return OptionError(table, "key.fields", "it needs 'key.format'");
    if (!options->key_in_value) return OptionError(table, "value.fields-include", "'EXCEPT_KEY' needs 'key.format'");
    if (!options->key_columns.empty()) options->key_format = "csv";  // as 'tidemill-log' has it
    return Status::OK();
  }
  if (options->key_columns.empty()) {
    return OptionError(table, "key.format", "it needs 'key.fields', which name the columns of the key");
  }
  if (IsChangelogFormat(options->key_format))
    return OptionError(table, "key.format", "'" + options->key_format + "' is a format of values");
  const std::string prefix = "key." + options->key_format + ".";
  for (const auto& [key, value] : table.options.values()) {
    if (key.starts_with(prefix)) options->key_options.Set(key.substr(prefix.size()), value);
  }
  const Status status = ValidateFormatOptions(options->key_format, options->key_options);
  return status.ok() ? status : OptionError(table, "key.format", status.message());
}

Status ParseValue(const TableDefinition& table, KafkaTableOptions* options) {
  const bool short_form = table.options.Has("format");
  if (short_form && (options->upsert || table.options.Has("value.format"))) {
    return OptionError(table, "format",
                       options->upsert ? "'upsert-kafka' has 'key.format' and 'value.format'"
                                       : "'format' and 'value.format' are the same option; give one of them");
  }
  const std::string name = short_form ? "format" : "value.format";
  if (!table.options.Has(name)) {
    return Status(kMissingOption, options->upsert ? "connector 'upsert-kafka' needs option 'value.format'"
                                                  : "connector 'kafka' needs option 'format' (or 'value.format')")
        .At(table.position);
  }
  options->value_format = *table.options.Get(name);
  const std::vector<std::string> formats = RowFormats();
  if (std::find(formats.begin(), formats.end(), options->value_format) == formats.end()) {
    std::string list;
    for (const std::string& format : formats) list += (list.empty() ? "" : ", ") + format;
    return OptionError(table, name, "'" + options->value_format + "' is not a format of records: " + list);
  }
  if (options->upsert && IsChangelogFormat(options->value_format)) {
    return OptionError(table, name,
                       "'" + options->value_format + "' has changes of its own: read it with connector 'kafka'");
  }
  for (const std::string& prefix : {options->value_format + ".", "value." + options->value_format + "."}) {
    for (const auto& [key, value] : table.options.values()) {
      if (key.starts_with(prefix)) options->value_options.Set(key.substr(prefix.size()), value);
    }
  }
  return Status::OK();
}

Status ParseFlush(const TableDefinition& table, KafkaTableOptions* options) {
  const Result<int64_t> rows = table.options.GetInt("sink.buffer-flush.max-rows", 0);
  if (!rows.ok()) return OptionError(table, "sink.buffer-flush.max-rows", rows.status().message());
  const Result<int64_t> interval = table.options.GetDurationMs("sink.buffer-flush.interval", 0);
  if (!interval.ok()) return OptionError(table, "sink.buffer-flush.interval", interval.status().message());
  if (*rows < 0 || *rows > 10'000'000)
    return OptionError(table, "sink.buffer-flush.max-rows", "must be 0 (off) to 10000000");
  if (*interval < 0) return OptionError(table, "sink.buffer-flush.interval", "must not be negative");
  if ((*rows > 0) != (*interval > 0)) {
    return OptionError(table, *rows > 0 ? "sink.buffer-flush.max-rows" : "sink.buffer-flush.interval",
                       "'sink.buffer-flush.max-rows' and 'sink.buffer-flush.interval' are set together, both above 0");
  }
  options->flush_rows = *rows;
  options->flush_interval_ms = *interval;
  return Status::OK();
}

Status ParseSinkOptions(const TableDefinition& table, KafkaTableOptions* options) {
  const std::string partitioner = table.options.GetString("sink.partitioner", "default");
  if (partitioner == "fixed") {
    options->partitioner = KafkaTableOptions::Partitioner::kFixed;
  } else if (partitioner == "round-robin") {
    options->partitioner = KafkaTableOptions::Partitioner::kRoundRobin;
  } else if (partitioner != "default") {
    return OptionError(
        table, "sink.partitioner",
        "'" + partitioner + "' is not one of default, fixed, round-robin (Java classes can't be loaded)");
  }
  const std::string delivery = table.options.GetString("sink.delivery-guarantee", "at-least-once");
  if (delivery == "exactly-once") {
    return OptionError(table, "sink.delivery-guarantee",
                       "'exactly-once' into Kafka comes with a later version; 'at-least-once' is there, and "
                       "'tidemill-log' is exactly-once");
  }
  if (delivery != "at-least-once" && delivery != "none") {
    return OptionError(table, "sink.delivery-guarantee",
                       "'" + delivery + "' is not one of at-least-once, none (exactly-once comes later)");
  }
  options->wait_for_acks = delivery == "at-least-once";
  if (table.options.Has("sink.transactional-id-prefix")) {
    return OptionError(table, "sink.transactional-id-prefix",
                       "it belongs to exactly-once, which comes with a later version");
  }
  return options->upsert ? ParseFlush(table, options) : Status::OK();
}

}  // namespace

Result<KafkaTableOptions> ParseKafkaTableOptions(const TableDefinition& table, bool upsert) {
  KafkaTableOptions options;
  options.upsert = upsert;
  TM_RETURN_IF_ERROR(ParseTopics(table, &options));
  if (upsert && table.primary_key.empty()) {
    return Status(kMissingOption, "'" + table.name + "': 'upsert-kafka' needs PRIMARY KEY (...) NOT ENFORCED")
        .At(table.position);
  }
  TM_ASSIGN_OR_RETURN(options.properties, ParseKafkaProperties(table));
  TM_RETURN_IF_ERROR(ParseScanOptions(table, &options));
  TM_RETURN_IF_ERROR(ParseKey(table, &options));
  TM_RETURN_IF_ERROR(ParseValue(table, &options));
  TM_RETURN_IF_ERROR(ParseSinkOptions(table, &options));
  return options;
}

Result<KafkaSchemas> OpenKafkaSchemas(const KafkaTableOptions& options, const ConnectorContext& context) {
  KafkaSchemas schemas;
  TM_ASSIGN_OR_RETURN(schemas.value, OpenSchemaSource(options.value_format, options.value_options, context));
  TM_ASSIGN_OR_RETURN(schemas.key, OpenSchemaSource(options.key_format, options.key_options, context));
  return schemas;
}

}  // namespace tidemill
