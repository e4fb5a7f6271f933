#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/status.h"
#include "sql/catalog.h"

namespace tidemill {

class Log;

// The WITH clause of a 'tidemill-log' table, checked.
struct LogTableOptions {
  enum class Startup : uint8_t { kEarliest, kLatest, kGroupOffsets, kTimestamp };
  std::vector<std::string> topics;
  bool auto_create = false;  // as a source; sinks create unless told not to
  bool auto_create_sink = true;
  int32_t partitions = 1;
  std::string group_id;  // empty: <job>-<table>
  Startup startup = Startup::kGroupOffsets;
  int64_t startup_timestamp_ms = 0;
  bool bounded = false;
  std::vector<int> key_columns;  // numbers into TableDefinition::columns
  std::string key_format = "csv";
  bool exactly_once = true;
  std::string format;  // of values
  Config format_options;
};

// Errors carry the option's position.
Result<LogTableOptions> ParseLogTableOptions(const TableDefinition& table);
// Makes the topic when it is missing; one that exists keeps its partitions.
Status EnsureTopic(Log& log, const std::string& topic, int32_t partitions);

}  // namespace tidemill
