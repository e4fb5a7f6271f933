#include "server/http_api.h"

#include <charconv>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "server/engine.h"
#include "server/errors.h"
#include "server/version.h"

namespace tidemill {
namespace {

using nlohmann::json;

// What /readyz looks at: the process takes requests and every job does its work.
json ReadinessChecks(const HttpApiParts& parts, bool* ready) {
  json checks = json::array();
  const auto add = [&](const std::string& name, bool ok, std::string detail) {
    checks.push_back({{"name", name}, {"ok", ok}, {"detail", std::move(detail)}});
    *ready = *ready && ok;
  };
  *ready = true;
  const Status log = parts.engine->log().health();
  add("log", log.ok(), log.ok() ? "writes are taken" : log.ToString());
  if (parts.jobs->is_starting()) add("start", false, "scripts are being planned, state restored, models loaded");
  for (const JobEntry& entry : parts.jobs->List()) {
    const JobStatus status = entry.status();
    const bool ok = status.state == JobStatus::State::kRunning || status.state == JobStatus::State::kFinished;
    std::string detail = fmt::format("{}, epoch {}", JobStateName(status.state), status.epoch);
    if (status.restored_epoch > 0) detail += fmt::format(", restored from epoch {}", status.restored_epoch);
    if (!status.error.ok()) detail += ": " + status.error.ToString();
    add("job " + entry.name, ok, std::move(detail));
  }
  return checks;
}

}  // namespace

Result<ListenOptions> ParseListenAddress(std::string_view text) {
  ListenOptions options;
  const size_t colon = text.rfind(':');
  const Status wrong(kUsage,
                     fmt::format("'{}' is no address to listen on: expected ADDRESS:PORT, e.g. 127.0.0.1:8080", text));
  if (colon == std::string_view::npos) return wrong;
  std::string_view address = text.substr(0, colon);
  const std::string_view port = text.substr(colon + 1);
  if (address.size() > 2 && address.front() == '[' && address.back() == ']')
    address = address.substr(1, address.size() - 2);
  if (!address.empty()) options.address = std::string(address);
  const auto [end, error] = std::from_chars(port.data(), port.data() + port.size(), options.port);
  if (error != std::errc() || end != port.data() + port.size() || port.empty()) return wrong;
  return options;
}

std::string FormatListenAddress(std::string_view address, uint16_t port) {
  const bool v6 = address.find(':') != std::string_view::npos;
  return fmt::format("{}{}{}:{}", v6 ? "[" : "", address, v6 ? "]" : "", port);
}

void MountHealthRoutes(HttpServer& server, const HttpApiParts& parts) {
  server.Route("GET", "/healthz", [parts](const ServerRequest&) {
    const Status log = parts.engine->log().health();
    if (!log.ok()) return ProblemResponse(503, log);
    return JsonResponse({{"status", "ok"}});
  });
  server.Route("GET", "/readyz", [parts](const ServerRequest&) {
    bool ready = false;
    json checks = ReadinessChecks(parts, &ready);
    return JsonResponse({{"status", ready ? "ready" : "not ready"}, {"checks", std::move(checks)}}, ready ? 200 : 503);
  });
  server.Route("GET", "/metrics", [parts](const ServerRequest&) {
    return ServerResponse{200, "text/plain; version=0.0.4; charset=utf-8", parts.engine->metrics().RenderText(), {}};
  });
  server.Route("GET", "/version", [](const ServerRequest&) {
    return JsonResponse({{"name", "tidemill"}, {"version", VersionText()}, {"build", BuildText()}});
  });
  server.Route("GET", "/openapi.json", [](const ServerRequest&) {
    return ServerResponse{200, "application/json", std::string(OpenApiText()), {}};
  });
}

void MountJobRoutes(HttpServer& server, const HttpApiParts& parts) {
  server.Route("GET", "/api/v1/jobs", [parts](const ServerRequest&) {
    std::string body = "{\"jobs\":[";
    for (const JobEntry& entry : parts.jobs->List()) {
      if (body.back() != '[') body += ',';
      body += JobToJson(entry);
    }
    return ServerResponse{200, "application/json", body + "]}", {}};
  });
  server.Route("GET", "/api/v1/jobs/{id}", [parts](const ServerRequest& request) {
    const std::string& id = request.path_parameters.at("id");
    const auto entry = parts.jobs->Find(id);
    if (!entry) return ProblemResponse(404, Status(kNotFound, fmt::format("there is no job '{}'", id)));
    return ServerResponse{200, "application/json", JobToJson(*entry), {}};
  });
}

void MountHttpApi(HttpServer& server, const HttpApiParts& parts) {
  MountHealthRoutes(server, parts);
  MountJobRoutes(server, parts);
  MountTopicRoutes(server, parts);
  MountDeadLetterRoutes(server, parts);
  MountFeatureRoutes(server, parts);
}

}  // namespace tidemill
