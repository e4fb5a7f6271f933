#pragma once

#include "data/errors.h"

namespace tidemill {

// TM13xx: state.
inline constexpr ErrorCode kIncompatibleState{1300, ErrorDomain::kUser, "saved state does not fit the query",
                                              "start without the saved state, or keep the operator's keys and types"};
inline constexpr ErrorCode kStateLimit{1301, ErrorDomain::kUser, "state is over its limit"};

}  // namespace tidemill
