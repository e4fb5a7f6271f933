#pragma once

#include <memory>
#include <string>

#include "base/status.h"
#include "server/engine.h"
#include "server/http_server.h"
#include "server/job_list.h"
#include "server/topic_access.h"

namespace tidemill {

// The HTTP API of a running process: says where it listens on stderr and in <data-dir>/http.port, and removes that file
// when it stops.
class ApiServer {
 public:
  // `engine` and `jobs` outlive it. `address`: "127.0.0.1:8080", port 0 = any free one.
  static Result<std::unique_ptr<ApiServer>> Start(Engine& engine, JobList& jobs, const std::string& address,
                                                  bool insecure, Console& console);
  ~ApiServer();
  uint16_t port() const { return server_.port(); }

 private:
  explicit ApiServer(Engine& engine) : engine_(engine), topics_(engine.log()) {}
  Engine& engine_;
  LogTopicAccess topics_;
  HttpServer server_;
};

}  // namespace tidemill
