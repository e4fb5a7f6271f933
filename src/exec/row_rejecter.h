#pragma once

#include <string>
#include <vector>

#include "base/clock.h"
#include "base/metrics.h"
#include "data/batch.h"
#include "data/reject.h"
#include "exec/operator.h"
#include "function/scalar_function.h"

namespace tidemill {

// Refuses rows on behalf of one operator: each goes to the reject output as JSON with its reason; late ones are
// counted.
class RowRejecter {
 public:
  void Open(const OpenContext& context);

  // A row that came after `watermark` had passed what it belongs to.
  void Late(Collector& out, const Batch& batch, int64_t row, EventTime time, EventTime watermark);
  void NullRowtime(Collector& out, const Batch& batch, int64_t row, const std::string& column);
  void Failed(Collector& out, const Batch& batch, int64_t row, std::string detail);
  // Refuses every row that has an error and appends the others to `good`, ascending.
  void Failed(Collector& out, const Batch& batch, const std::vector<EvalContext::RowError>& errors,
              std::vector<int32_t>& good);

 private:
  void Reject(Collector& out, RejectReason reason, const Batch& batch, int64_t row, std::string field,
              std::string detail, EventTime time);

  std::string operator_name_;
  Counter* late_ = nullptr;
};

// One row as a JSON object; at most 64 KiB, cut off beyond.
std::string RowAsJson(const Batch& batch, int64_t row);

}  // namespace tidemill
