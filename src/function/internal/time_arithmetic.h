#pragma once

#include "function/internal/bind.h"

namespace tidemill {

// DATE, TIME, TIMESTAMP, TIMESTAMP_LTZ +/- INTERVAL; INTERVAL +/- INTERVAL; a time minus a time of the same kind
// (INTERVAL DAY TO SECOND).
bool TakesTimeArithmetic(Args args);
Result<ResolvedCall> BindTimeAdd(Args args);
Result<ResolvedCall> BindTimeSubtract(Args args);

}  // namespace tidemill
