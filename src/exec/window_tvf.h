#pragma once

#include <memory>
#include <vector>

#include "exec/operator.h"
#include "exec/row_rejecter.h"
#include "exec/window_grid.h"
#include "sql/logical_plan.h"

namespace tidemill {

// A window table function that no aggregate absorbed: each row with window_start, window_end and window_time, once per
// window it lies in. No state; rows are never late here. NULL time: kNullRowtime. SESSION needs an aggregate.
class WindowTvf final : public Operator {
 public:
  static Result<std::unique_ptr<WindowTvf>> Make(WindowTvfSpec spec, const Schema& input, const Schema& output);
  Status Open(OpenContext& context) override;
  Status ProcessBatch(int input, Batch batch, Collector& out) override;
  Status OnWatermark(EventTime, Collector&) override { return Status::OK(); }

 private:
  WindowTvf(WindowTvfSpec spec, Schema input, Schema output, std::unique_ptr<WindowGrid> grid)
      : spec_(std::move(spec)), input_(std::move(input)), output_(std::move(output)), grid_(std::move(grid)) {}

  WindowTvfSpec spec_;
  Schema input_, output_;
  std::unique_ptr<WindowGrid> grid_;
  RowRejecter rejecter_;
};

}  // namespace tidemill
