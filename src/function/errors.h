#pragma once

#include "data/errors.h"

namespace tidemill {

// TM14xx: functions. Those with domain kData are raised for single rows.
inline constexpr ErrorCode kNoSuchFunction{1400, ErrorDomain::kUser, "no such function"};
inline constexpr ErrorCode kWrongArguments{1401, ErrorDomain::kUser, "wrong arguments for function"};
inline constexpr ErrorCode kCastFailed{1402, ErrorDomain::kData, "value can't be cast",
                                       "use TRY_CAST to get NULL instead"};
inline constexpr ErrorCode kDivisionByZero{1403, ErrorDomain::kData, "division by zero"};
inline constexpr ErrorCode kNumericOverflow{1404, ErrorDomain::kData, "numeric overflow"};
inline constexpr ErrorCode kInvalidArgument{1405, ErrorDomain::kData, "invalid argument value"};
inline constexpr ErrorCode kAccumulatorFull{1406, ErrorDomain::kData, "aggregate is over its bound"};

}  // namespace tidemill
