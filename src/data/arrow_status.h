#pragma once

#include <string>
#include <string_view>

#include <arrow/result.h>
#include <arrow/status.h>

#include "data/errors.h"

namespace tidemill {

// Arrow's errors as ours: kArrowError with what was being done.
inline Status FromArrowStatus(const arrow::Status& status, std::string_view doing) {
  if (status.ok()) return Status::OK();
  return Status(kArrowError, std::string(doing) + ": " + status.message());
}

}  // namespace tidemill

#define TM_ARROW_RETURN_IF_ERROR(expression, doing)                \
  do {                                                             \
    ::arrow::Status tm_arrow_status_ = (expression);               \
    if (!tm_arrow_status_.ok()) [[unlikely]]                       \
      return ::tidemill::FromArrowStatus(tm_arrow_status_, doing); \
  } while (false)

#define TM_ARROW_ASSIGN_OR_RETURN(lhs, expression, doing) \
  TM_ARROW_ASSIGN_OR_RETURN_INNER(TM_CONCAT(tm_arrow_result_, __COUNTER__), lhs, expression, doing)
#define TM_ARROW_ASSIGN_OR_RETURN_INNER(result, lhs, expression, doing) \
  auto result = (expression);                                           \
  if (!result.ok()) [[unlikely]]                                        \
    return ::tidemill::FromArrowStatus(result.status(), doing);         \
  lhs = *std::move(result)
