#pragma once

#include <memory>
#include <string>
#include <vector>

#include "exec/operator.h"
#include "exec/row_rejecter.h"
#include "sql/expression.h"

namespace tidemill {

struct CalcSpec {
  ExpressionPtr predicate;                 // may be null: all rows
  std::vector<ExpressionPtr> expressions;  // empty: all input columns as they are
};

// Filter and projection in one step.
//
// Method: the predicate gives a selection; only the columns that the projection reads are then copied down to the
// selected rows. State:  none. Row kinds go along. Errors: a row whose predicate or projection raises goes to
// out.rejects() with kExpression.
class Calc final : public Operator {
 public:
  static Result<std::unique_ptr<Calc>> Make(CalcSpec spec, const Schema& input, const Schema& output);
  Status Open(OpenContext& context) override;
  Status ProcessBatch(int input, Batch batch, Collector& out) override;
  Status OnWatermark(EventTime, Collector&) override { return Status::OK(); }

 private:
  Calc(CalcSpec spec, Schema output) : spec_(std::move(spec)), output_(std::move(output)) {}
  // False when no row is left.
  Result<bool> Filter(const Batch& batch, Collector& out, bool* all, std::vector<int32_t>& selected);

  CalcSpec spec_;
  Schema output_;
  std::vector<int> read_columns_;        // of the projection
  std::vector<ExpressionPtr> remapped_;  // over read_columns_
  std::unique_ptr<ExpressionEvaluator> filter_;
  std::unique_ptr<ExpressionEvaluator> projection_;
  RowRejecter rejecter_;
};

}  // namespace tidemill
