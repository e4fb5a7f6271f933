#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "connect/connector.h"
#include "connect/pubsub/pubsub_client.h"
#include "data/schema.h"

namespace tidemill {

enum class PubsubMetadata : uint8_t { kMessageId, kPublishTime, kAttributes, kOrderingKey, kDeliveryAttempt };

std::vector<MetadataColumn> PubsubMetadataColumns();
PubsubMetadata PubsubMetadataOf(std::string_view key);  // of a key in that table
DataType PubsubMetadataType(PubsubMetadata metadata);

struct PubsubTableOptions {
  std::string subscription;  // "projects/P/subscriptions/S"; of a source
  std::string topic;         // "projects/P/topics/T"; of a sink
  std::string format;
  Config format_options;
  int ack_deadline_s = 60;
  int64_t outstanding_messages_max = 10'000;
  int64_t outstanding_bytes_max = 0;
  int64_t retry_timeout_ms = 0;
};
// Offline. Errors carry the option's position.
Result<PubsubTableOptions> ParsePubsubTableOptions(const TableDefinition& table, bool as_source, bool as_sink);

// Where the server is: 'emulator-host', the environment variable PUBSUB_EMULATOR_HOST, or Google with the credentials
// that are named. Reads the key's file.
Result<PubsubConnection> ResolvePubsubConnection(const TableDefinition& table, FileSystem& files);

}  // namespace tidemill
