#include <nlohmann/json.hpp>

#include "base/clock.h"
#include "data/time_text.h"
#include "feature/feast_api.h"
#include "feature/feature_store.h"
#include "server/engine.h"
#include "server/http_api.h"

namespace tidemill {
namespace {

using nlohmann::json;

Result<json> ViewJson(FeatureStore& store, const Clock& clock, const FeatureView& view) {
  TM_ASSIGN_OR_RETURN(const FeatureViewStatistics statistics, store.Statistics(view.name));
  json features = json::array();
  for (int column : view.feature_columns()) {
    features.push_back({{"name", view.schema.field(column).name}, {"type", view.schema.field(column).type.ToString()}});
  }
  json freshness = nullptr;
  if (statistics.newest_event_time != kMinEventTime) {
    freshness = static_cast<double>(clock.NowMicros() / 1000 - statistics.newest_event_time) / 1000;
  }
  return json({{"name", view.name},
               {"entities", view.entities},
               {"event_time", view.event_time},
               {"features", features},
               {"online", view.online},
               {"offline", view.offline},
               {"ttl_seconds", static_cast<double>(view.ttl_ms) / 1000},
               {"online_rows", statistics.entities},
               {"online_bytes", statistics.online_bytes},
               {"freshness_seconds", freshness}});
}

ServerResponse FeastResponse(FeastAnswer answer) {
  return {answer.status, "application/json", std::move(answer.body), {}};
}

}  // namespace

void MountFeatureRoutes(HttpServer& server, const HttpApiParts& parts) {
  server.Route("POST", "/get-online-features", [parts](const ServerRequest& request) {
    return FeastResponse(HandleGetOnlineFeatures(parts.engine->features(), request.body));
  });
  server.Route("POST", "/push", [parts](const ServerRequest& request) {
    return FeastResponse(HandlePush(parts.engine->features(), request.body));
  });
  server.Route("GET", "/api/v1/features", [parts](const ServerRequest&) {
    FeatureStore& store = parts.engine->features();
    json views = json::array();
    for (const FeatureView& view : store.views()) {
      const auto body = ViewJson(store, parts.engine->clock(), view);
      if (!body.ok()) return ErrorResponse(body.status());
      views.push_back(*body);
    }
    return JsonResponse({{"views", views}});
  });
}

}  // namespace tidemill
