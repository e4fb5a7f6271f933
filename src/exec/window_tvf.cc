#include "exec/window_tvf.h"

#include <arrow/api.h>

#include "exec/errors.h"
#include "exec/event_time.h"
#include "exec/window_columns.h"

namespace tidemill {

Result<std::unique_ptr<WindowTvf>> WindowTvf::Make(WindowTvfSpec spec, const Schema& input, const Schema& output) {
  if (spec.window.kind == WindowKind::kSession) {
    return Status(kUnsupportedOperator, "SESSION without an aggregate over its windows")
        .WithHint("GROUP BY its PARTITION BY columns, window_start, window_end");
  }
  TM_ASSIGN_OR_RETURN(auto grid, WindowGrid::Make(spec.window));
  return std::unique_ptr<WindowTvf>(new WindowTvf(std::move(spec), input, output, std::move(grid)));
}

Status WindowTvf::Open(OpenContext& context) {
  rejecter_.Open(context);
  return Status::OK();
}

Status WindowTvf::ProcessBatch(int, Batch batch, Collector& out) {
  const arrow::Array& column = *batch.rows->column(spec_.window.time_column);
  std::vector<EventTime> times;
  EventTimesOf(column, times);
  std::vector<int32_t> rows;
  std::vector<WindowBounds> windows;
  const auto flush = [&]() -> Status {
    if (rows.empty()) return Status::OK();
    TM_ASSIGN_OR_RETURN(Batch taken, TakeRows(batch, rows));
    auto columns = taken.rows->columns();
    AppendWindowColumns(output_, windows, columns);
    rows.clear();
    windows.clear();
    const int64_t n = taken.num_rows();
    return out.Emit(taken.WithRows(arrow::RecordBatch::Make(output_.arrow(), n, std::move(columns))));
  };
  for (size_t i = 0; i < times.size(); ++i) {
    if (column.IsNull(static_cast<int64_t>(i))) {
      rejecter_.NullRowtime(out, batch, static_cast<int64_t>(i), input_.field(spec_.window.time_column).name);
      continue;
    }
    const int64_t slice = grid_->SliceOf(times[i]);
    const int64_t last = grid_->LastWindow(slice);
    for (int64_t window = grid_->FirstWindow(slice); window <= last; window = grid_->NextWindow(window)) {
      rows.push_back(static_cast<int32_t>(i));
      windows.push_back({grid_->WindowStart(window), grid_->WindowEnd(window), grid_->FireTime(window)});
      if (rows.size() == static_cast<size_t>(kBatchRowsMax)) TM_RETURN_IF_ERROR(flush());
    }
  }
  return flush();
}

}  // namespace tidemill
