#pragma once

#include <memory>
#include <vector>

#include "base/metrics.h"
#include "exec/operator.h"
#include "exec/predictor.h"
#include "exec/row_rejecter.h"
#include "sql/logical_plan.h"

namespace tidemill {

// ML_PREDICT: adds the model's outputs to each row, a batch at a time.
//
// Failed: a batch that the model refuses is tried again row by row, once; the rows that fail alone go to out.rejects()
// as kExpression with the
//         model's message, the others go on. Row kinds go along.
// State:  none; the model is the predictor's.
class Predict final : public Operator {
 public:
  static Result<std::unique_ptr<Predict>> Make(PredictSpec spec, const Schema& output,
                                               std::unique_ptr<Predictor> predictor);
  Status Open(OpenContext& context) override;
  Status ProcessBatch(int input, Batch batch, Collector& out) override;
  Status OnWatermark(EventTime, Collector&) override { return Status::OK(); }

 private:
  using Columns = std::vector<std::shared_ptr<arrow::Array>>;
  Predict(PredictSpec spec, Schema output, std::unique_ptr<Predictor> predictor)
      : spec_(std::move(spec)), output_(std::move(output)), predictor_(std::move(predictor)) {}
  Result<Columns> Score(const Batch& batch);
  Status ScoreRowByRow(const Batch& batch, Collector& out);
  Status Emit(const Batch& batch, const Columns& outputs, Collector& out);

  PredictSpec spec_;
  Schema output_;
  std::unique_ptr<Predictor> predictor_;
  RowRejecter rejecter_;
  Counter* failed_batches_ = nullptr;
};

}  // namespace tidemill
