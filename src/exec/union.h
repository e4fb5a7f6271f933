#pragma once

#include <memory>

#include "exec/operator.h"

namespace tidemill {

// UNION ALL: rows of all inputs, under the output's column names. No state; row kinds go along.
class Union final : public Operator {
 public:
  static Result<std::unique_ptr<Union>> Make(const Schema& output) { return std::unique_ptr<Union>(new Union(output)); }
  Status Open(OpenContext&) override { return Status::OK(); }
  Status ProcessBatch(int input, Batch batch, Collector& out) override;
  Status OnWatermark(EventTime, Collector&) override { return Status::OK(); }

 private:
  explicit Union(Schema output) : output_(std::move(output)) {}
  Schema output_;
};

}  // namespace tidemill
