#include "exec/predict.h"

#include <arrow/api.h>
#include <arrow/array/concatenate.h>

#include "data/arrow_status.h"
#include "exec/errors.h"

namespace tidemill {

Result<std::unique_ptr<Predict>> Predict::Make(PredictSpec spec, const Schema& output,
                                               std::unique_ptr<Predictor> predictor) {
  return std::unique_ptr<Predict>(new Predict(std::move(spec), output, std::move(predictor)));
}

Status Predict::Open(OpenContext& context) {
  rejecter_.Open(context);
  if (context.metrics == nullptr) return Status::OK();
  Labels labels = context.labels;
  labels.emplace_back("model", spec_.model->name);
  failed_batches_ =
      context.metrics->GetCounter("tidemill_inference_failed_batches_total",
                                  "Batches that the model refused and that were tried again row by row.", labels);
  return Status::OK();
}

Result<Predict::Columns> Predict::Score(const Batch& batch) {
  Columns inputs;
  for (const int column : spec_.argument_columns) inputs.push_back(batch.rows->column(column));
  TM_ASSIGN_OR_RETURN(Columns outputs, predictor_->Predict(inputs, batch.num_rows()));
  if (outputs.size() != static_cast<size_t>(spec_.model->output.num_fields())) {
    return Status(kPredictionFailed, "model gave " + std::to_string(outputs.size()) + " columns, OUTPUT declares " +
                                         std::to_string(spec_.model->output.num_fields()));
  }
  for (const auto& output : outputs) {
    if (output->length() != batch.num_rows())
      return Status(kPredictionFailed,
                    "model gave " + std::to_string(output->length()) + " rows for " + std::to_string(batch.num_rows()));
  }
  return outputs;
}

Status Predict::Emit(const Batch& batch, const Columns& outputs, Collector& out) {
  Columns columns = batch.rows->columns();
  columns.insert(columns.end(), outputs.begin(), outputs.end());
  return out.Emit(batch.WithRows(arrow::RecordBatch::Make(output_.arrow(), batch.num_rows(), std::move(columns))));
}

Status Predict::ScoreRowByRow(const Batch& batch, Collector& out) {
  if (failed_batches_) failed_batches_->Add();
  std::vector<int32_t> good;
  std::vector<Columns> by_row;
  for (int64_t row = 0; row < batch.num_rows(); ++row) {
    auto outputs = Score(batch.Slice(row, 1));
    if (!outputs.ok()) {
      rejecter_.Failed(out, batch, row, "model '" + spec_.model->name + "': " + outputs.status().message());
      continue;
    }
    good.push_back(static_cast<int32_t>(row));
    by_row.push_back(*std::move(outputs));
  }
  if (good.empty()) return Status::OK();
  Columns columns;
  for (size_t c = 0; c < by_row[0].size(); ++c) {
    Columns parts;
    for (const Columns& outputs : by_row) parts.push_back(outputs[c]);
    TM_ARROW_ASSIGN_OR_RETURN(auto column, arrow::Concatenate(parts), "join predictions");
    columns.push_back(std::move(column));
  }
  TM_ASSIGN_OR_RETURN(Batch rows, TakeRows(batch, good));
  return Emit(rows, columns, out);
}

Status Predict::ProcessBatch(int, Batch batch, Collector& out) {
  auto outputs = Score(batch);
  if (outputs.ok()) return Emit(batch, *outputs, out);
  return ScoreRowByRow(batch, out);
}

}  // namespace tidemill
