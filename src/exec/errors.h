#pragma once

#include "sql/errors.h"
#include "state/errors.h"

namespace tidemill {

// TM30xx: running.
inline constexpr ErrorCode kNullRowtime{3001, ErrorDomain::kData, "NULL in the time attribute",
                                        "SET 'table.exec.source.rowtime-null-handling' = 'DROP'"};
inline constexpr ErrorCode kPredictionFailed{3002, ErrorDomain::kExternal, "model failed on a batch"};
inline constexpr ErrorCode kCancelled{3003, ErrorDomain::kUser, "cancelled"};

}  // namespace tidemill
