#pragma once

#include "exec/errors.h"
#include "log/errors.h"

namespace tidemill {

// TM60xx: connectors.
inline constexpr ErrorCode kNoFilesFound{6001, ErrorDomain::kUser, "no input files"};
inline constexpr ErrorCode kDeliveryFailed{6003, ErrorDomain::kExternal, "delivery failed", "", true};

}  // namespace tidemill
