#include "exec/calc.h"

#include <algorithm>
#include <set>

#include <arrow/api.h>

namespace tidemill {

Result<std::unique_ptr<Calc>> Calc::Make(CalcSpec spec, const Schema& input, const Schema& output) {
  std::unique_ptr<Calc> calc(new Calc(std::move(spec), output));
  std::set<int> read;
  for (const ExpressionPtr& expression : calc->spec_.expressions) {
    for (const int column : ColumnsOf(*expression)) read.insert(column);
  }
  calc->read_columns_.assign(read.begin(), read.end());
  std::vector<int> mapping(static_cast<size_t>(input.num_fields()), -1);
  for (size_t i = 0; i < calc->read_columns_.size(); ++i)
    mapping[static_cast<size_t>(calc->read_columns_[i])] = static_cast<int>(i);
  for (const ExpressionPtr& expression : calc->spec_.expressions)
    calc->remapped_.push_back(RemapColumns(expression, mapping));
  return calc;
}

Status Calc::Open(OpenContext& context) {
  rejecter_.Open(context);
  if (spec_.predicate) {
    filter_ = std::make_unique<ExpressionEvaluator>(std::vector<ExpressionPtr>{spec_.predicate}, *context.clock,
                                                    context.time_zone);
  }
  if (!remapped_.empty())
    projection_ = std::make_unique<ExpressionEvaluator>(remapped_, *context.clock, context.time_zone);
  return Status::OK();
}

Result<bool> Calc::Filter(const Batch& batch, Collector& out, bool* all, std::vector<int32_t>& selected) {
  std::vector<EvalContext::RowError> errors;
  TM_ASSIGN_OR_RETURN(auto columns, filter_->Evaluate(batch, errors));
  const auto& passes = static_cast<const arrow::BooleanArray&>(*columns[0]);
  const auto keep = [&](int64_t row) { return passes.IsValid(row) && passes.Value(row); };
  if (errors.empty()) {
    const int64_t n = batch.num_rows();
    selected.reserve(static_cast<size_t>(n));
    for (int64_t i = 0; i < n; ++i) {
      if (keep(i)) selected.push_back(static_cast<int32_t>(i));
    }
  } else {
    rejecter_.Failed(out, batch, errors, selected);
    std::erase_if(selected, [&](int32_t row) { return !keep(row); });
  }
  *all = static_cast<int64_t>(selected.size()) == batch.num_rows();
  return !selected.empty();
}

Status Calc::ProcessBatch(int, Batch batch, Collector& out) {
  bool all = true;
  std::vector<int32_t> selected;
  if (filter_) {
    TM_ASSIGN_OR_RETURN(const bool any, Filter(batch, out, &all, selected));
    if (!any) return Status::OK();
  }
  if (!projection_) {
    if (all) return out.Emit(std::move(batch));
    TM_ASSIGN_OR_RETURN(Batch rows, TakeRows(batch, selected));
    return out.Emit(std::move(rows));
  }
  Batch read = batch;
  std::vector<std::shared_ptr<arrow::Field>> fields;
  std::vector<std::shared_ptr<arrow::Array>> columns;
  for (const int column : read_columns_) {
    fields.push_back(batch.rows->schema()->field(column));
    columns.push_back(batch.rows->column(column));
  }
  read.rows = arrow::RecordBatch::Make(arrow::schema(std::move(fields)), batch.num_rows(), std::move(columns));
  if (!all) {
    TM_ASSIGN_OR_RETURN(read, TakeRows(read, selected));
  }
  std::vector<EvalContext::RowError> errors;
  TM_ASSIGN_OR_RETURN(auto results, projection_->Evaluate(read, errors));
  Batch result = read.WithRows(arrow::RecordBatch::Make(output_.arrow(), read.num_rows(), std::move(results)));
  if (!errors.empty()) {
    std::vector<int32_t> good;
    rejecter_.Failed(out, read, errors, good);
    if (good.empty()) return Status::OK();
    TM_ASSIGN_OR_RETURN(result, TakeRows(result, good));
  }
  return out.Emit(std::move(result));
}

}  // namespace tidemill
