#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"
#include "data/schema.h"

namespace tidemill {

// What a feature view is: rows of features of an entity, each valid from an event time on. Immutable once registered,
// but its features may change from one run to the next.
struct FeatureView {
  std::string name;                   // IsSafeName
  Schema schema;                      // all columns, in the order of the table that writes it
  std::vector<std::string> entities;  // key columns, at least one
  std::string event_time;             // a TIMESTAMP or TIMESTAMP_LTZ column of precision <= 3
  int64_t ttl_ms = 0;                 // how long a row counts after its event time; 0 = for ever
  bool online = true;
  bool offline = true;
  std::string offline_path;            // the view's folder of Parquet files
  std::string compression = "snappy";  // none, snappy, lz4, zstd
  int64_t entities_max = 20'000'000;   // online

  std::vector<int> entity_columns() const;  // numbers in `schema`
  int event_time_column() const;
  std::vector<int> feature_columns() const;  // all the others
  // Names, types, that the columns exist: kViewMismatch.
  Status Check() const;
};

// A view as bytes (an Arrow IPC schema with metadata), and back.
Result<std::string> EncodeView(const FeatureView& view);
Result<FeatureView> DecodeView(std::string_view bytes);

// "view:feature" or "view:*" taken apart; a version "view@v2:feature" is refused.
struct FeatureReference {
  std::string view;
  std::string feature;  // "*" = all
};
Result<FeatureReference> ParseFeatureReference(std::string_view text);

}  // namespace tidemill
