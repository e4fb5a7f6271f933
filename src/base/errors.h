#pragma once

#include "base/status.h"

namespace tidemill {

// TM10xx: base.
inline constexpr ErrorCode kInternalError{1000, ErrorDomain::kInternal, "internal error",
                                          "this is a bug in tidemill; please report it with the script that shows it"};
inline constexpr ErrorCode kFileNotFound{1001, ErrorDomain::kUser, "file not found", "check the path"};
inline constexpr ErrorCode kIoError{1002, ErrorDomain::kExternal, "input/output error", "", true};
inline constexpr ErrorCode kDiskFull{1003, ErrorDomain::kExternal, "disk full",
                                     "free some space; writing resumes by itself", true};
inline constexpr ErrorCode kSyncFailed{
    1004, ErrorDomain::kExternal, "fsync failed",
    "the disk did not keep what was written; check it, then restart to recover from the log"};
inline constexpr ErrorCode kAlreadyLocked{1005, ErrorDomain::kUser, "data directory is in use",
                                          "another tidemill process uses it; stop that one or give another --data-dir"};
inline constexpr ErrorCode kInvalidConfig{1006, ErrorDomain::kUser, "invalid configuration value"};
inline constexpr ErrorCode kNetworkError{1007, ErrorDomain::kExternal, "network error", "", true};
inline constexpr ErrorCode kTimeout{1008, ErrorDomain::kExternal, "timed out", "", true};
inline constexpr ErrorCode kAddressInUse{1009, ErrorDomain::kUser, "address already in use",
                                         "stop the other process or choose another port"};
inline constexpr ErrorCode kAddressRefused{1010, ErrorDomain::kUser, "address refused",
                                           "only public addresses are called unless 'allow-addresses' names more"};
inline constexpr ErrorCode kCorruption{1011, ErrorDomain::kExternal, "corrupted file", "restore the file from a copy"};
inline constexpr ErrorCode kPermissionDenied{1012, ErrorDomain::kUser, "permission denied"};
inline constexpr ErrorCode kLimitExceeded{1013, ErrorDomain::kUser, "limit exceeded"};
inline constexpr ErrorCode kInvalidName{1014, ErrorDomain::kUser, "invalid name", "names are [A-Za-z0-9._-]{1,128}"};
inline constexpr ErrorCode kUnsafeListen{1015, ErrorDomain::kUser,
                                         "refusing to listen beyond loopback without authentication",
                                         "listen on 127.0.0.1, or say --insecure if the network is trusted"};

}  // namespace tidemill
