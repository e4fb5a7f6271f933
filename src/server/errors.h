#pragma once

#include "base/errors.h"

namespace tidemill {

// TM80xx: server and command line.
inline constexpr ErrorCode kUsage{8001, ErrorDomain::kUser, "wrong usage", "see tidemill --help"};
inline constexpr ErrorCode kNotFound{8003, ErrorDomain::kUser, "not found"};
inline constexpr ErrorCode kOutputExists{
    8004, ErrorDomain::kUser, "output of another run is in the way",
    "give another path, or say --overwrite to replace it, --append to write beside it"};
inline constexpr ErrorCode kBadJobRecord{8005, ErrorDomain::kExternal, "job record can't be read",
                                         "start with --fresh, or remove the job's folder in the data directory"};
inline constexpr ErrorCode kStopTimedOut{
    8006, ErrorDomain::kExternal, "no epoch could be saved in time",
    "see whether the systems that the job writes to answer, or give it longer with --stop-timeout"};

}  // namespace tidemill
