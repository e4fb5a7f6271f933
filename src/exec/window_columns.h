#pragma once

#include <memory>
#include <vector>

#include "base/clock.h"
#include "data/schema.h"

namespace arrow {
class Array;
}

namespace tidemill {

// A window of one output row. `start` and `end` on the wall clock; `last`: its last instant, on the time attribute's
// own scale.
struct WindowBounds {
  int64_t start = 0;
  int64_t end = 0;
  EventTime last = 0;
};

// Adds window_start, window_end and window_time (of the last three types of `output`).
void AppendWindowColumns(const Schema& output, const std::vector<WindowBounds>& windows,
                         std::vector<std::shared_ptr<arrow::Array>>& columns);

}  // namespace tidemill
