#pragma once

#include "sql/logical_plan.h"

namespace tidemill {

// GroupAggregate by window_start and window_end over a window TVF becomes a WindowAggregate, which emits each window
// once. Projects and filters between the two are moved out of the way. The output has the layout of the aggregate that
// was given; any other plan comes back unchanged. Called while binding, since it decides whether window_time goes on as
// the event time.
Result<LogicalPtr> RecognizeWindowAggregate(LogicalPtr aggregate);

}  // namespace tidemill
