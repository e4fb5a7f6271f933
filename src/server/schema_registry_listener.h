#pragma once

#include <memory>
#include <string>

#include "base/status.h"
#include "server/engine.h"
#include "server/http_server.h"

namespace tidemill {

// The schema registry's API of a running process, on an address of its own: says where it listens on stderr and in
// <data-dir>/schema-registry.port, and removes that file when it stops.
class SchemaRegistryListener {
 public:
  // `engine` outlives it. `address`: "127.0.0.1:8081", port 0 = any free one.
  static Result<std::unique_ptr<SchemaRegistryListener>> Start(Engine& engine, const std::string& address,
                                                               bool insecure, Console& console);
  ~SchemaRegistryListener();

 private:
  explicit SchemaRegistryListener(Engine& engine) : engine_(engine) {}
  Engine& engine_;
  HttpServer server_;
};

}  // namespace tidemill
