#include <nlohmann/json.hpp>

#include "base/errors.h"
#include "server/dead_letters.h"
#include "server/engine.h"
#include "server/http_api.h"

namespace tidemill {
namespace {

using nlohmann::json;

ServerResponse List(DeadLetterAccess& dead_letters) {
  const auto groups = dead_letters.List();
  if (!groups.ok()) return ErrorResponse(groups.status());
  json list = json::array();
  for (const DeadLetterGroup& group : *groups) {
    list.push_back({{"topic", group.topic},
                    {"reason", group.reason},
                    {"records", group.records},
                    {"newest", group.newest_ms},
                    {"example", group.example}});
  }
  return JsonResponse({{"dlq", list}});
}

std::string TextOf(const json& body, const char* name) {
  const auto found = body.find(name);
  return found != body.end() && found->is_string() ? found->get<std::string>() : "";
}

bool IsSet(const json& body, const char* name) {
  const auto found = body.find(name);
  return found != body.end() && found->is_boolean() && found->get<bool>();
}

Result<std::vector<ReplayRange>> RangesOf(const json& body) {
  std::vector<ReplayRange> ranges;
  const auto found = body.find("rest");
  if (found == body.end()) return ranges;
  const Status wrong(kInvalidConfig, "\"rest\" is not what the answer before said");
  if (!found->is_array()) return wrong;
  for (const json& item : *found) {
    for (const char* name : {"partition", "from", "end"}) {
      if (!item.is_object() || !item.contains(name) || !item[name].is_number_integer()) return wrong;
    }
    ranges.push_back({item["partition"].get<int32_t>(), item["from"].get<int64_t>(), item["end"].get<int64_t>()});
  }
  return ranges;
}

// {"table": "input", "to": "fixed", "reason": "late", "dry_run": true, "all": true}
ServerResponse Replay(DeadLetterAccess& dead_letters, const ServerRequest& request) {
  const json body = json::parse(request.body, nullptr, false);
  if (!body.is_object() || TextOf(body, "table").empty())
    return ErrorResponse(Status(kInvalidConfig, "the body is not {\"table\": \"transactions\", ...}"));
  const auto rest = RangesOf(body);
  if (!rest.ok()) return ErrorResponse(rest.status());
  const auto step = dead_letters.Replay({.table = TextOf(body, "table"),
                                         .to = TextOf(body, "to"),
                                         .reason = TextOf(body, "reason"),
                                         .dry_run = IsSet(body, "dry_run"),
                                         .all = IsSet(body, "all")},
                                        *rest);
  if (!step.ok()) return ErrorResponse(step.status());
  json ranges = json::array();
  for (const ReplayRange& range : step->rest)
    ranges.push_back({{"partition", range.partition}, {"from", range.from}, {"end", range.end}});
  return JsonResponse({{"to", json(step->records)}, {"rest", ranges}});
}

ServerResponse Drop(DeadLetterAccess& dead_letters, const std::string& table) {
  const auto dropped = dead_letters.Drop(table);
  if (!dropped.ok()) return ErrorResponse(dropped.status());
  return JsonResponse({{"topic", dropped->topic}, {"records", dropped->records}});
}

}  // namespace

void MountDeadLetterRoutes(HttpServer& server, const HttpApiParts& parts) {
  // Routes are described without an engine too.
  std::shared_ptr<DeadLetterAccess> dead_letters;
  if (parts.engine != nullptr) dead_letters = MakeLogDeadLetterAccess(parts.engine->log(), *parts.topics);
  server.Route("GET", "/api/v1/dlq", [dead_letters](const ServerRequest&) { return List(*dead_letters); });
  server.Route("POST", "/api/v1/dlq/replay",
               [dead_letters](const ServerRequest& request) { return Replay(*dead_letters, request); });
  server.Route("DELETE", "/api/v1/dlq/{topic}", [dead_letters](const ServerRequest& request) {
    return Drop(*dead_letters, request.path_parameters.at("topic"));
  });
}

}  // namespace tidemill
