#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "base/config.h"
#include "base/file_system.h"
#include "base/status.h"
#include "connect/redis_streams/redis_client.h"
#include "connect/redis_streams/stream_id.h"
#include "sql/catalog.h"

namespace tidemill {

// Where reading begins, or ends.
struct RedisPlace {
  enum class Kind : uint8_t { kEarliest, kLatest, kTimestamp, kSpecific, kNever };
  Kind kind = Kind::kEarliest;
  int64_t timestamp_ms = 0;
  std::map<std::string, StreamId> ids;  // kSpecific: stream -> the entry; "" = of all streams
};

enum class RedisPartitioner : uint8_t { kDefault, kFixed, kRoundRobin };

// The WITH clause of a 'redis-streams' table, checked. Secrets are still unresolved.
struct RedisTableOptions {
  std::vector<std::string> streams;  // keys
  RedisPlace start;
  RedisPlace end{RedisPlace::Kind::kNever, 0, {}};
  std::string reset = "none";  // auto.offset.reset
  int64_t read_count = 1000;   // entries a command
  int64_t timeout_ms = 10'000;

  std::string value_field = "value";
  std::string format;  // empty: each column is a field of the entry
  Config format_options;

  RedisPartitioner partitioner = RedisPartitioner::kDefault;
  bool wait_for_acks = true;
  int64_t length_max = 0;  // of a stream that is written to; 0 = it is not trimmed
  bool length_exact = false;

  bool bounded() const { return end.kind != RedisPlace::Kind::kNever; }
};

// Errors carry the option's position.
Result<RedisTableOptions> ParseRedisTableOptions(const TableDefinition& table);
// 'url', the login and certificates, with their secrets.
Result<RedisEndpoint> ResolveRedisEndpoint(const TableDefinition& table, FileSystem& files);

}  // namespace tidemill
