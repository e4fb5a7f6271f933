#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/config.h"
#include "base/status.h"
#include "connect/kafka/kafka_properties.h"
#include "data/registered_schema.h"
#include "sql/catalog.h"

namespace tidemill {

// Where reading begins, or ends.
struct KafkaPlace {
  enum class Kind : uint8_t { kEarliest, kLatest, kGroupOffsets, kTimestamp, kSpecific, kNever };
  Kind kind = Kind::kGroupOffsets;
  int64_t timestamp_ms = 0;
  std::map<int32_t, int64_t> offsets;  // kSpecific: partition -> offset
};

// Where the formats of records look schemas up; absent for those that keep none.
struct KafkaSchemas {
  std::shared_ptr<SchemaSource> value;
  std::shared_ptr<SchemaSource> key;
};

// The WITH clause of a 'kafka' or 'upsert-kafka' table, checked.
struct KafkaTableOptions {
  enum class Partitioner : uint8_t { kDefault, kFixed, kRoundRobin };
  bool upsert = false;
  std::vector<std::string> topics;
  std::string topic_pattern;  // or this
  KafkaProperties properties;
  KafkaPlace start;
  KafkaPlace end{KafkaPlace::Kind::kNever, 0, {}};
  int64_t discovery_interval_ms = 300'000;  // 0 = off

  std::vector<int> key_columns;  // numbers into TableDefinition::columns
  std::string key_prefix;        // of the key columns' names in the table, not in the records
  bool key_in_value = true;      // value.fields-include = ALL
  std::string key_format;        // empty: records have no key, or it is not read
  Config key_options;
  std::string value_format;
  Config value_options;

  Partitioner partitioner = Partitioner::kDefault;
  bool wait_for_acks = true;  // sink.delivery-guarantee: at-least-once, else none
  int64_t flush_rows = 0;     // upsert: changes of one key are merged up to so many rows; 0 = sent at once
  int64_t flush_interval_ms = 0;

  bool bounded() const { return end.kind != KafkaPlace::Kind::kNever; }
};

struct ConnectorContext;
Result<KafkaSchemas> OpenKafkaSchemas(const KafkaTableOptions& options, const ConnectorContext& context);
// Errors carry the option's position. Offline: secrets stay unresolved.
Result<KafkaTableOptions> ParseKafkaTableOptions(const TableDefinition& table, bool upsert);

}  // namespace tidemill
