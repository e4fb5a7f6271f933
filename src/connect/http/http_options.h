#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "base/status.h"
#include "connect/guard/retry_policy.h"
#include "sql/catalog.h"

namespace tidemill {

// The WITH clause of an 'http' table, checked. Secrets (`${env:NAME}`, `${file:PATH}`) are still unresolved here.
struct HttpTableOptions {
  std::string url;
  std::string method = "POST";
  std::vector<std::pair<std::string, std::string>> headers;
  std::vector<std::string> allow_addresses;
  int64_t timeout_ms = 10'000;
  int in_flight_max = 64;
  int buffer_rows = 10'000;
  RetryPolicy first_retry{3, 100, 1'000};       // before a row is parked in the outbox
  RetryPolicy outbox_retry{20, 1'000, 60'000};  // before it is a dead letter
  int64_t park_after_ms = 500;
  std::string dead_letter_topic;
  std::string format = "json";
  Config format_options;
};

// Errors carry the option's position.
Result<HttpTableOptions> ParseHttpTableOptions(const TableDefinition& table);

}  // namespace tidemill
