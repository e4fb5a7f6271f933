#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/file_system.h"
#include "base/status.h"
#include "feature/feature_view.h"
#include "feature/point_in_time.h"

namespace tidemill {

struct HistoricalRequest {
  std::string labels_path;            // .parquet, .csv (with a header line) or .json/.jsonl/.ndjson (an object a line)
  std::vector<std::string> features;  // "view:feature", "view:*"
  std::string time_column;            // empty: event_timestamp, else the event time column of the first view
  std::string output_path;            // .parquet or .csv
  bool full_feature_names = false;    // view__feature instead of feature
};

struct HistoricalSummary {
  int64_t labels = 0;
  struct View {
    std::string name;
    int64_t matched = 0;  // labels with a feature row
    int64_t rows_read = 0;
  };
  std::vector<View> views;
  std::vector<std::string> columns;  // of the output
};

// Makes a training set: every row and column of the labels file, in its order, and beside it the features as they were
// known by event time at that row's time (JoinPointInTime). Labels need the entity columns of every view, by name.
// Their times may be timestamps, dates, text like 2024-05-01T12:00:00Z, or milliseconds since 1970. The output appears
// whole or not at all. Labels and output are held in memory, features are streamed.
Result<HistoricalSummary> JoinHistory(FileSystem& files, const std::vector<FeatureView>& views,
                                      const HistoricalRequest& request, const PointInTimeOptions& options = {});

}  // namespace tidemill
