#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <nlohmann/json_fwd.hpp>

#include "base/status.h"

namespace tidemill {

// A request as handlers see it. `path_parameters`: what stood in the places of {name} in the route, percent-decoded.
struct ServerRequest {
  std::string method;
  std::string path;
  std::map<std::string, std::string> query;
  std::map<std::string, std::string> path_parameters;
  std::map<std::string, std::string> headers;  // names in lower case
  std::string body;
};

struct ServerResponse {
  int status = 200;
  std::string content_type = "application/json";
  std::string body;
  std::vector<std::pair<std::string, std::string>> headers;
};

// Text that is not UTF-8 leaves with U+FFFD in its place.
ServerResponse JsonResponse(const nlohmann::json& body, int http_status = 200);
// RFC 9457: {"type", "title", "status", "detail", "code"}, and "position", "hint", "notes" where the error has them.
ServerResponse ProblemResponse(int http_status, const Status& error);
// The HTTP status that fits an error: user 400, disk full 507, retriable 503, internal 500.
int HttpStatusOf(const Status& error);
// The problem at the status that fits it.
ServerResponse ErrorResponse(const Status& error);

struct HttpServerOptions {
  std::string address = "127.0.0.1";
  uint16_t port = 8080;   // 0 = any free port
  bool insecure = false;  // allows an address that is not loopback
  int64_t body_bytes_max = 64 << 20;
  int connections_max = 1024;        // above: 503 and close
  int64_t idle_timeout_ms = 60'000;  // between requests, and for a slow request as a whole
  int handler_threads = 2;
};

// HTTP/1.1 on loopback: one thread for the sockets, a few for handlers, so that a slow handler does not hold up others.
// Keep-alive and pipelining in order; bodies, headers, connections and time are bounded. Thread-safe.
class HttpServer {
 public:
  using Handler = std::function<ServerResponse(const ServerRequest&)>;
  // Answers later: `reply` is called once, from any thread; nothing waits on a handler thread meanwhile.
  using Reply = std::function<void(ServerResponse)>;
  using AsyncHandler = std::function<void(const ServerRequest&, Reply reply)>;
  HttpServer();
  ~HttpServer();  // stops

  // Before Start. `pattern`: "/api/v1/topics/{topic}/records". A known path with another method answers 405, an unknown
  // one 404.
  void Route(std::string method, std::string pattern, Handler handler);
  void RouteAsync(std::string method, std::string pattern, AsyncHandler handler);
  // (method, pattern) of every route, in the order of Route.
  std::vector<std::pair<std::string, std::string>> routes() const;
  // kAddressInUse, kUnsafeListen.
  Status Start(const HttpServerOptions& options);
  // The port that is listened on.
  uint16_t port() const;
  // Stops accepting, lets running handlers finish and waits for the replies that are owed, closes connections.
  void Stop();

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace tidemill
