#pragma once

#include <cstdint>
#include <string>

#include "base/file_system.h"
#include "base/status.h"
#include "connect/kafka/kafka_client.h"
#include "sql/catalog.h"

namespace tidemill {

// What the 'properties.*' options of a table say.
struct KafkaProperties {
  KafkaConnection connection;  // group_id as given, empty if not
  std::string offset_reset;    // 'auto.offset.reset': "", "earliest", "latest" or "none"
};

// Translates the names of Kafka's Java client, which Flink's users write, to librdkafka's, and checks names and values.
// What has no counterpart is refused with what to use instead; unknown names with the nearest one. Values that hold
// `${...}` are not looked at. Errors carry the option's position and never a value that came from a secret.
Result<KafkaProperties> ParseKafkaProperties(const TableDefinition& table);

// The same when a connector opens: with the secrets' values.
Result<KafkaProperties> ResolveKafkaProperties(const TableDefinition& table, FileSystem& files);

}  // namespace tidemill
