#pragma once

#include "function/internal/bind.h"

namespace tidemill {

// FLOOR(time TO unit) and CEIL(time TO unit): (time, unit word).
Result<ResolvedCall> BindTimeFloor(Args args);
Result<ResolvedCall> BindTimeCeil(Args args);

}  // namespace tidemill
