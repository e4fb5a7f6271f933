#pragma once

#include <string>
#include <string_view>

#include "feature/feature_store.h"

namespace tidemill {

// Feast's HTTP API (answers recorded from feast 0.67.0 are in tests/data) as functions from request JSON to response
// JSON; a server mounts them.
//
// The same: paths, request fields, one result per feature with the entities first, names in metadata.feature_names,
// times and error bodies. Otherwise than Feast's server:
// - statuses NULL_VALUE and OUTSIDE_MAX_AGE (with the value) are given, as Feast's protocol defines them; its Python
// server says PRESENT;
// - features come in the order they were asked for; "view:*" is all of a view; a feature_service is a view's name;
// - a wrong request is 422 with Feast's {"detail": [{"type", "loc", "msg", "input"}]} where Feast fails with 500 and a
// Python message.
struct FeastAnswer {
  int status = 200;
  std::string body;  // JSON, or empty
};

// Limits: 16 MiB of request, 1,000 features, 10,000 entities.
// POST /get-online-features {"features": ["view:feature"] | "feature_service": "view", "entities": {"key": [..]},
// "full_feature_names": false}
FeastAnswer HandleGetOnlineFeatures(FeatureStore& store, std::string_view request);
// POST /push {"push_source_name": "view", "df": {"column": [..]}, "to": "online" | "offline" | "online_and_offline"}.
// Columns that the view does not have are ignored, missing features become NULL. The event time may also be called
// event_timestamp. Answers with an empty body when the rows are durable.
FeastAnswer HandlePush(FeatureStore& store, std::string_view request);

}  // namespace tidemill
