#pragma once

#include <string>

#include "base/status.h"
#include "log/schema_registry/schema_registry.h"
#include "server/http_server.h"

namespace tidemill {

inline constexpr std::string_view kSchemaRegistryType = "application/vnd.schemaregistry.v1+json";
// A schema of 1 MiB as a JSON string, every character escaped, with its references.
inline constexpr int64_t kSchemaRegistryBodyBytesMax = 8 << 20;

// The routes of Confluent's schema registry, with its paths, parameters, status and error codes. Before
// HttpServer::Start; `registry` outlives the server.
void MountSchemaRegistryRoutes(HttpServer& server, SchemaRegistry& registry);

// Confluent's error code of an error (40401, 42201, ...); its first three digits are the HTTP status.
int SchemaRegistryErrorCode(const Status& error);
ServerResponse SchemaRegistryError(const Status& error);

}  // namespace tidemill
