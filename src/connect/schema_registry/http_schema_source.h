#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "base/network.h"
#include "data/registered_schema.h"

namespace tidemill {

// How a registry of Confluent's HTTP API is reached.
struct SchemaRegistryConnection {
  std::vector<std::string> urls;  // tried in turn; no '/' at the end
  std::string authorization;      // value of the header, empty = none; never in errors
  int64_t timeout_ms = 10'000;    // of one call
  int attempts_max = 3;           // over all urls; further ones only after network errors, 429 and 5xx
  int64_t backoff_ms = 100;       // before the second attempt; doubles
};

// A client of such a registry. Thread-safe; calls wait for the answer. What an id means is kept for ever (up to
// kSchemasMax), that there is none for kUnknownMs. kNetworkError, kTimeout: not reached; kPermissionDenied:
// credentials; kSchemaNotFound, kInvalidSchema, kIncompatibleSchema: its answer, in its words.
class HttpSchemaSource final : public SchemaSource {
 public:
  static constexpr size_t kSchemasMax = 10'000;
  static constexpr int64_t kUnknownMs = 5'000;
  static constexpr size_t kReferencesMax = 1'000;  // of one schema, direct or not

  HttpSchemaSource(SchemaRegistryConnection connection, Network& network, const Clock& clock);

  Result<ResolvedSchema> SchemaById(int32_t id) override;
  Result<int32_t> Register(const std::string& subject, const SchemaDefinition& schema) override;
  Result<std::optional<Latest>> LatestOf(const std::string& subject) override;

 private:
  struct Answer {
    int status = 0;
    std::string body;
  };
  using Version = std::pair<std::string, int32_t>;

  // An answer of 2xx, or its error.
  Result<std::string> Call(const std::string& method, const std::string& path, std::string body);
  Result<Answer> Try(const std::string& url, const std::string& method, const std::string& path,
                     const std::string& body);
  // The schema in an answer's body, with what it refers to.
  Result<ResolvedSchema> Resolve(const std::string& body);
  Status AddReferences(const SchemaDefinition& definition, std::map<Version, bool>& seen, int depth,
                       ResolvedSchema& out);

  const SchemaRegistryConnection connection_;
  Network& network_;
  const Clock& clock_;
  std::mutex mutex_;
  std::unordered_map<int32_t, ResolvedSchema> by_id_;
  std::deque<std::pair<int64_t, int32_t>> unknown_;  // until when (monotonic ns), id
};

}  // namespace tidemill
