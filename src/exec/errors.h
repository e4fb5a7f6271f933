#pragma once

#include "sql/errors.h"
#include "state/errors.h"

namespace tidemill {

// TM30xx: running.
inline constexpr ErrorCode kNullRowtime{3001, ErrorDomain::kData, "NULL in the time attribute",
                                        "SET 'table.exec.source.rowtime-null-handling' = 'DROP'"};
inline constexpr ErrorCode kPredictionFailed{3002, ErrorDomain::kExternal, "model failed on a batch"};
inline constexpr ErrorCode kCancelled{3003, ErrorDomain::kUser, "cancelled"};
inline constexpr ErrorCode kNullInNotNull{
    3004, ErrorDomain::kData, "NULL in a NOT NULL column",
    "SET 'table.exec.sink.not-null-enforcer' = 'DROP' to reject such rows instead"};
inline constexpr ErrorCode kUnsupportedOperator{3005, ErrorDomain::kUser, "can't be run yet"};
inline constexpr ErrorCode kInvalidRuntimeOption{3006, ErrorDomain::kUser, "invalid option value"};
inline constexpr ErrorCode kUnsupportedOver{3010, ErrorDomain::kUser, "OVER call can't be computed"};
inline constexpr ErrorCode kUnsupportedState{3011, ErrorDomain::kUser, "operator can't keep this type in its state"};

}  // namespace tidemill
