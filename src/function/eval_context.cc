#include "function/scalar_function.h"

namespace tidemill {

void EvalContext::RaiseRow(int64_t row, const ErrorCode& code, std::string detail) {
  if (row < 0 || row >= num_rows_) return;
  if (active_ != nullptr && active_[row] == 0) return;
  if (has_error_.empty()) has_error_.resize(static_cast<size_t>(num_rows_), 0);
  if (has_error_[static_cast<size_t>(row)] != 0) return;
  has_error_[static_cast<size_t>(row)] = 1;
  row_errors_.push_back(RowError{row, &code, std::move(detail)});
}

}  // namespace tidemill
