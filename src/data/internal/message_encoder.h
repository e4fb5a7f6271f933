#pragma once

#include <string>
#include <utility>
#include <vector>

#include <arrow/record_batch.h>

#include "base/errors.h"
#include "data/format.h"

namespace tidemill {

// Encodes rows by a plan of one schema: `Bind` finds the batch's values, `Write` appends one row. Each message begins
// with the same header.
template <typename Plan, void (*Bind)(const arrow::RecordBatch&, Plan&),
          Status (*Write)(const Plan&, int64_t row, std::string& out)>
class MessageEncoder final : public RowEncoder {
 public:
  MessageEncoder(Plan plan, int columns, std::string header)
      : plan_(std::move(plan)), columns_(columns), header_(std::move(header)) {}

  Status Encode(const Batch& batch, std::string& out, std::vector<size_t>& ends) override {
    ends.clear();
    if (batch.rows->num_columns() != columns_) {
      return Status(kInternalError, "expected " + std::to_string(columns_) + " columns, found " +
                                        std::to_string(batch.rows->num_columns()));
    }
    Bind(*batch.rows, plan_);
    const int64_t rows = batch.num_rows();
    ends.reserve(static_cast<size_t>(rows));
    for (int64_t row = 0; row < rows; ++row) {
      out += header_;
      TM_RETURN_IF_ERROR(Write(plan_, row, out));
      ends.push_back(out.size());
    }
    return Status::OK();
  }

 private:
  Plan plan_;
  const int columns_;
  const std::string header_;
};

}  // namespace tidemill
