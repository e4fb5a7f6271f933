#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/network.h"
#include "base/status.h"
#include "log/schema_registry/registry_types.h"
#include "server/console.h"
#include "server/engine.h"

namespace tidemill {

// A schema registry as commands use it: that of an opened data directory, or any with Confluent's API.
class SchemaAccess {
 public:
  virtual ~SchemaAccess() = default;
  virtual Result<std::vector<RegisteredVersion>> List(bool deleted) = 0;
  virtual Result<RegisteredVersion> Get(const std::string& subject, int32_t version) = 0;
  virtual Result<SchemaDefinition> GetById(int32_t id) = 0;
  // kIncompatibleSchema, kInvalidSchema.
  virtual Result<RegisteredVersion> Register(const std::string& subject, const SchemaDefinition& schema,
                                             bool normalize) = 0;
  virtual Result<CompatibilityReport> Check(const std::string& subject, std::optional<int32_t> version,
                                            const SchemaDefinition& schema, bool normalize) = 0;
  virtual Result<std::vector<int32_t>> Delete(const std::string& subject, std::optional<int32_t> version,
                                              bool permanent) = 0;
};

// `network` outlives it. `url`: "http://127.0.0.1:8081".
std::unique_ptr<SchemaAccess> MakeRemoteSchemaAccess(Network& network, std::string url);

// What a schema command works on: with `url` that registry; else the data directory's, through the process that holds
// it when there is one and it serves its registry.
class SchemaSession {
 public:
  static Result<SchemaSession> Open(const CommandContext& context, const std::string& url);
  SchemaAccess& schemas() { return *access_; }

 private:
  std::unique_ptr<Network> network_;
  std::unique_ptr<Engine> engine_;
  std::unique_ptr<SchemaAccess> access_;
};

}  // namespace tidemill
