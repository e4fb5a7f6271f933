#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/config.h"
#include "base/file_system.h"
#include "base/status.h"
#include "connect/kinesis/aws_signature.h"
#include "sql/catalog.h"

namespace tidemill {

enum class KinesisStart : uint8_t { kLatest, kTrimHorizon, kTimestamp };
enum class KinesisPartitioner : uint8_t { kFields, kRandom, kFixed };

// The WITH clause of a 'kinesis' table, checked. Secrets are still unresolved.
struct KinesisTableOptions {
  std::string stream;      // name
  std::string stream_arn;  // or this, with the name in `stream` too
  std::string region;
  std::string endpoint;  // URL without a path; empty = that of the region
  std::vector<std::string> allow_addresses;
  int64_t timeout_ms = 30'000;

  KinesisStart start = KinesisStart::kLatest;
  int64_t start_ms = 0;
  int64_t discovery_interval_ms = 10'000;
  int64_t read_records_max = 10'000;
  int64_t read_interval_ms = 200;  // Kinesis takes five reads a second of a shard, from all readers

  std::string format;
  Config format_options;

  KinesisPartitioner partitioner = KinesisPartitioner::kRandom;
  std::vector<int> key_columns;  // kFields: numbers into TableDefinition::columns
  char key_delimiter = '|';
  int64_t batch_records_max = 500;
};

// Errors carry the option's position.
Result<KinesisTableOptions> ParseKinesisTableOptions(const TableDefinition& table);
// From the options, else (AUTO, ENV_VAR) from AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and AWS_SESSION_TOKEN.
Result<AwsCredentials> ResolveAwsCredentials(const TableDefinition& table, FileSystem& files);

}  // namespace tidemill
