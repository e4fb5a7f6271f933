#pragma once

#include "connect/connector.h"
#include "feature/feature_view.h"

namespace tidemill {

// 'connector' = 'feature-store': rows become the features of a view, online at once and offline with the epoch
// (feature/feature_store.h). The primary key is the entity; event time is the watermark's column, or
// 'event-time.column'.
//
// Exactly once: offline files are prepared and committed with the epoch; online rows are upserts in which the newest
// event time wins, so a replay changes nothing. -U rows are skipped (the +U that follows says it all). Refused rows go
// to the reject output: NULL event time or entity, and -D, which a history of features can't hold.
Connector FeatureStoreConnector();

// The view that a table declares; errors carry positions. `offline_path` stays empty when the table does not say.
Result<FeatureView> FeatureViewOf(const TableDefinition& table);

}  // namespace tidemill
