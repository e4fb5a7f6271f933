#pragma once

#include <string>
#include <utility>
#include <vector>

#include "data/reject.h"

namespace tidemill {

// Keeps every reject, for tests.
class CollectRejects final : public RejectSink {
 public:
  void Reject(RejectedRow row) override { rows.push_back(std::move(row)); }
  // "wrong_type amount: expected DOUBLE, found true" for each, in order.
  std::vector<std::string> Lines() const {
    std::vector<std::string> out;
    for (const RejectedRow& row : rows)
      out.push_back(std::string(RejectReasonName(row.reason)) + " " + row.field + ": " + row.detail);
    return out;
  }
  std::vector<RejectedRow> rows;
};

}  // namespace tidemill
