#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/file_system.h"
#include "base/status.h"
#include "feature/feature_view.h"

namespace arrow {
class Array;
}

namespace tidemill {

struct PointInTimeOptions {
  // Feature rows that are held at a time, beside one slice of a day; and of a slice. For tests; the defaults bound
  // memory to about 1 GiB for 18 columns.
  int64_t held_rows_max = 4'000'000;
  int64_t slice_rows_max = 4'000'000;
};

struct PointInTimeResult {
  std::vector<std::shared_ptr<arrow::Array>>
      values;           // one per feature, in the labels' order; NULL where nothing was found
  int64_t matched = 0;  // labels with a feature row
  int64_t feature_rows_read = 0;
};

// For each label the newest feature row of its entity with event time <= the label's, and, if the view has a time to
// live, >= label time - ttl. Of rows with one event time the one written last: by written_at, then by the order of
// files and rows.
//
// Method: labels sorted by time; offline files read by day in order of time, only rows of the labels' entities are
// kept, and both are merged by time against a table of each entity's latest row. Memory: the labels, a slice of a day,
// and `held_rows_max` or two rows an entity. `entities`: of the view's types, in its order; a label with a NULL in them
// or kMinEventTime as its time gets NULLs. `features`: numbers in the view's schema. A file that lacks a feature gives
// NULLs; one that has it in another type is converted where no value is changed.
Result<PointInTimeResult> JoinPointInTime(FileSystem& files, const FeatureView& view, const std::vector<int>& features,
                                          const std::vector<std::shared_ptr<arrow::Array>>& entities,
                                          const std::vector<EventTime>& times, const PointInTimeOptions& options = {});

}  // namespace tidemill
