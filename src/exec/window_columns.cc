#include "exec/window_columns.h"

#include <arrow/api.h>

#include "exec/event_time.h"

namespace tidemill {

void AppendWindowColumns(const Schema& output, const std::vector<WindowBounds>& windows,
                         std::vector<std::shared_ptr<arrow::Array>>& columns) {
  const int first = output.num_fields() - 3;
  std::vector<EventTime> values(windows.size());
  const auto append = [&](int field, auto of) {
    for (size_t i = 0; i < windows.size(); ++i) values[i] = windows[i].*of;
    columns.push_back(TimestampColumn(output.field(field).type, values));
  };
  append(first, &WindowBounds::start);
  append(first + 1, &WindowBounds::end);
  append(first + 2, &WindowBounds::last);
}

}  // namespace tidemill
