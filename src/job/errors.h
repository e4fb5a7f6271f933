#pragma once

#include "exec/errors.h"

namespace tidemill {

// TM70xx: jobs.
inline constexpr ErrorCode kBadManifest{7000, ErrorDomain::kExternal, "no usable manifest",
                                        "restore the job's state directory from a copy, or start with an empty one"};
inline constexpr ErrorCode kIncompatiblePlan{7001, ErrorDomain::kUser, "saved job does not fit the query"};
inline constexpr ErrorCode kJobFailed{7002, ErrorDomain::kExternal, "job failed"};
inline constexpr ErrorCode kNoConnector{7003, ErrorDomain::kUser, "connector can't be used here"};

}  // namespace tidemill
