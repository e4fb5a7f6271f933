#pragma once

#include "exec/errors.h"

namespace tidemill {

// TM60xx: connectors.
inline constexpr ErrorCode kNoFilesFound{6001, ErrorDomain::kUser, "no input files"};
inline constexpr ErrorCode kUnknownTopic{6002, ErrorDomain::kUser, "topic does not exist", "create it with: tidemill topic create NAME"};
inline constexpr ErrorCode kDeliveryFailed{6003, ErrorDomain::kExternal, "delivery failed", "", true};

}  // namespace tidemill
