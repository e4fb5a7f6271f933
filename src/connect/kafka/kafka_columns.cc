#include "connect/kafka/kafka_columns.h"

#include <algorithm>

namespace tidemill {
namespace {

constexpr std::string_view kMetadataKeys[] = {"topic",  "partition", "headers",        "header-list",
                                              "offset", "timestamp", "timestamp-type", "leader-epoch"};

}  // namespace

DataType KafkaMetadataType(KafkaMetadata metadata) {
  const DataType bytes(TypeKind::kBytes);
  const DataType text(TypeKind::kString, false);
  switch (metadata) {
    case KafkaMetadata::kTopic:
    case KafkaMetadata::kTimestampType:
      return text;
    case KafkaMetadata::kPartition:
      return DataType(TypeKind::kInt, false);
    case KafkaMetadata::kHeaders:
      return DataType::Map(text, bytes, false);
    case KafkaMetadata::kHeaderList:
      return DataType::Array(DataType::Row({{"key", text}, {"value", bytes}}, false), false);
    case KafkaMetadata::kOffset:
      return DataType(TypeKind::kBigInt, false);
    case KafkaMetadata::kTimestamp:
      return DataType::TimestampLtz(3, false);
    case KafkaMetadata::kLeaderEpoch:
      break;
  }
  return DataType(TypeKind::kInt);
}

std::vector<MetadataColumn> KafkaMetadataColumns() {
  std::vector<MetadataColumn> columns;
  for (const std::string_view key : kMetadataKeys) {
    const KafkaMetadata metadata = KafkaMetadataOf(key);
    const bool writable = metadata != KafkaMetadata::kOffset && metadata != KafkaMetadata::kTimestampType &&
                          metadata != KafkaMetadata::kLeaderEpoch;
    columns.push_back({key, KafkaMetadataType(metadata), writable});
  }
  return columns;
}

KafkaMetadata KafkaMetadataOf(std::string_view key) {
  const auto found = std::find(std::begin(kMetadataKeys), std::end(kMetadataKeys), key);
  TM_CHECK(found != std::end(kMetadataKeys));
  return static_cast<KafkaMetadata>(found - std::begin(kMetadataKeys));
}

std::vector<int> KafkaValueColumns(const TableDefinition& table, const KafkaTableOptions& options) {
  std::vector<int> columns;
  for (int i = 0; i < static_cast<int>(table.columns.size()); ++i) {
    if (table.columns[i].kind != ColumnDefinition::Kind::kPhysical) continue;
    const bool in_key =
        std::find(options.key_columns.begin(), options.key_columns.end(), i) != options.key_columns.end();
    if (in_key && !options.key_in_value) continue;
    columns.push_back(i);
  }
  return columns;
}

Field KafkaKeyField(const TableDefinition& table, const KafkaTableOptions& options, int column) {
  const ColumnDefinition& definition = table.columns[column];
  return {definition.name.substr(options.key_prefix.size()), definition.type};
}

}  // namespace tidemill
