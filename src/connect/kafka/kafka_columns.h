#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "connect/connector.h"
#include "connect/kafka/kafka_options.h"
#include "data/schema.h"

namespace tidemill {

enum class KafkaMetadata : uint8_t {
  kTopic,
  kPartition,
  kHeaders,     // MAP: of several headers of one name the last
  kHeaderList,  // ARRAY of ROW: all, in order
  kOffset,
  kTimestamp,
  kTimestampType,
  kLeaderEpoch,
};

// Keys, types and which may be written; the table of both connectors.
std::vector<MetadataColumn> KafkaMetadataColumns();
KafkaMetadata KafkaMetadataOf(std::string_view key);  // of a key in that table
DataType KafkaMetadataType(KafkaMetadata metadata);

// The columns (numbers into TableDefinition::columns) that the value of a record holds.
std::vector<int> KafkaValueColumns(const TableDefinition& table, const KafkaTableOptions& options);
// As the key's bytes name them: without the prefix.
Field KafkaKeyField(const TableDefinition& table, const KafkaTableOptions& options, int column);

}  // namespace tidemill
