#pragma once

#include <string>
#include <vector>

#include "base/status.h"
#include "data/batch.h"
#include "data/schema.h"
#include "feature/feature_store.h"
#include "feature/historical.h"

namespace tidemill {

// Rows to be shown.
struct ResultTable {
  Schema schema;
  std::vector<Batch> batches;
};

// `tidemill feature list`: view, entities, features, ttl, online, offline, rows online, newest event time.
Result<ResultTable> ListFeatureViews(const FeatureStore& store);
// `tidemill feature describe VIEW`: column, type, role (entity, event time, feature).
Result<ResultTable> DescribeFeatureView(const FeatureStore& store, const std::string& view);
// `tidemill feature get -e card_id=42 -f card_stats:*`: one row per entity and feature: entity columns, feature, value,
// status, event_time. `entities`: "column=value"; the same column given twice asks for two entities.
Result<ResultTable> GetFeatures(FeatureStore& store, const std::vector<std::string>& entities,
                                const std::vector<std::string>& features);
// `tidemill feature historical`: view, labels, matched, rows_read.
ResultTable SummaryTable(const HistoricalSummary& summary);

}  // namespace tidemill
