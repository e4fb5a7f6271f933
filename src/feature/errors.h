#pragma once

#include "model/errors.h"

namespace tidemill {

// TM50xx: feature store.
inline constexpr ErrorCode kViewNotFound{5001, ErrorDomain::kUser, "feature view not found",
                                         "list them with: tidemill feature list"};
inline constexpr ErrorCode kViewMismatch{5002, ErrorDomain::kUser, "feature view is defined otherwise",
                                         "give the table another name with 'view', or remove the old view's folder"};
inline constexpr ErrorCode kFeatureNotFound{5003, ErrorDomain::kUser, "feature not found"};
inline constexpr ErrorCode kInvalidFeatureRequest{5004, ErrorDomain::kUser, "invalid feature request"};
inline constexpr ErrorCode kOfflineFile{5005, ErrorDomain::kExternal, "unreadable offline feature file"};
inline constexpr ErrorCode kFeatureStoreFull{5006, ErrorDomain::kUser, "feature view has too many entities",
                                             "raise 'online.entities-max', or set 'online.enabled' = 'false'"};
inline constexpr ErrorCode kInvalidLabels{5007, ErrorDomain::kUser, "labels can't be joined"};

}  // namespace tidemill
