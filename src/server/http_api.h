#pragma once

#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/listen_socket.h"
#include "server/http_server.h"
#include "server/job_list.h"
#include "server/topic_access.h"

namespace tidemill {

class Engine;

// What the routes serve; everything outlives the server.
struct HttpApiParts {
  Engine* engine = nullptr;
  JobList* jobs = nullptr;
  LogTopicAccess* topics = nullptr;
};

// All routes of `tidemill run --http` and `tidemill serve`. Before HttpServer::Start.
void MountHttpApi(HttpServer& server, const HttpApiParts& parts);

// The parts of it, one file each.
void MountHealthRoutes(HttpServer& server, const HttpApiParts& parts);
void MountJobRoutes(HttpServer& server, const HttpApiParts& parts);
void MountTopicRoutes(HttpServer& server, const HttpApiParts& parts);
void MountDeadLetterRoutes(HttpServer& server, const HttpApiParts& parts);
void MountFeatureRoutes(HttpServer& server, const HttpApiParts& parts);

// OpenAPI 3.1, kept by hand; a test compares it with the routes.
std::string_view OpenApiText();

// process_* and uptime, set on every scrape.
void RegisterProcessMetrics(MetricsRegistry& metrics, const Clock& clock);

// "127.0.0.1:8080", "localhost:0", "[::1]:80", ":8080" (loopback) -> options. kUsage.
Result<ListenOptions> ParseListenAddress(std::string_view text);
// The other way round: "127.0.0.1:8080", "[::1]:80".
std::string FormatListenAddress(std::string_view address, uint16_t port);

}  // namespace tidemill
